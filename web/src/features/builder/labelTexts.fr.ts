/** The same in French. */
import type { en } from "~/features/builder/labelTexts";
import { readable } from "~/features/builder/values";
import type { Translation } from "~/lib/i18n";

const FRENCH: Readonly<Record<string, string>> = {
  name: "Nom", app: "Application", description: "Description", tags: "Étiquettes", enabled: "Active", schedule: "Horaire",
  timezone: "Fuseau horaire", schedules: "Autres horaires", single_instance: "Une exécution à la fois", overlap: "Si une autre tourne",
  max_queued: "En attente au plus", timeout_seconds: "Limite de temps, secondes", depends_on: "Dépend de", log_level: "Niveau du journal",
  catchup: "Si un départ a manqué", catchup_window_seconds: "Rattraper au plus, secondes", params: "Paramètres", retry: "Nouveaux essais",
  alerts: "Alertes", presets: "Préréglages", install_step: "Ordre d'installation", steps: "Étapes", step_defaults: "Valeurs communes des étapes",
  condition: "Condition", run_on: "S'exécute", continue_on_error: "Continuer après un échec", connector: "Connecteur", query: "Requête",
  pool: "Pool", fetch: "À garder", guard: "Garde-fou", source: "Source", target: "Cible", schema: "Schéma", table: "Table", mode: "Mode",
  key_columns: "Colonnes clés", batch_size: "Lignes par lot", where: "Condition (where)", transform: "Transformation",
  type_coercion: "Conversion de types", decimal_mode: "Décimales", strip_both_columns: "Colonnes sans blancs", incremental: "Incrémental",
  column: "Colonne", verify: "Vérifier", delete_missing: "Supprimer les absentes", callable: "Fonction", op_kwargs: "Arguments",
  isolate: "Processus à part", endpoint: "Point d'accès", url: "URL", method: "Méthode", headers: "En-têtes", body: "Corps", auth: "Authentification",
  expected_statuses: "Codes attendus", target_job: "Tâche à lancer", attempts: "Essais", backoff: "Attente", base_seconds: "Première attente, secondes",
  max_delay_seconds: "Plus longue attente, secondes", jitter: "Étaler les attentes", retry_on: "Réessayer après", min_rows: "Lignes au moins",
  max_rows: "Lignes au plus", max_delete_pct: "Lignes supprimées au plus, %", type: "Type", default: "Valeur par défaut", choices: "Choix",
  required: "Obligatoire", username: "Utilisateur", password: "Mot de passe", token: "Jeton", on_failure: "En cas d'échec",
  on_success: "En cas de succès", on_skipped: "Si sautée", on_recovery: "Au rétablissement", after_failures: "Après tant d'échecs",
  on_long_run_minutes: "Plus longue que, minutes", late_after_minutes: "En retard après, minutes", recipients: "Destinataires",
  file: "Fichier", form: "Format du fichier", step_enabled: "Étapes actives",
};

const CHOICES: Readonly<Record<string, string>> = {
  "catchup.latest": "lancer le dernier", "catchup.all": "les lancer tous", "catchup.none": "laisser",
  "overlap.skip": "sauter la nouvelle", "overlap.queue": "attendre dans la file", "overlap.replace": "arrêter celle qui tourne",
  "run_on.success": "après un succès", "run_on.failure": "seulement après un échec", "run_on.always": "dans tous les cas",
  "fetch.all": "toutes les lignes", "fetch.first": "la première ligne", "fetch.none": "seulement le nombre",
  "isolate.none": "non", "isolate.process": "oui",
};

const fr: Translation<typeof en> = {
  choice: (key, value) => CHOICES[`${key}.${value}`] ?? value,
  label: (key) => FRENCH[key] ?? readable(key),
};
export default fr;
