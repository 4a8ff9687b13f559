/** The same in French. */
import type { en } from "~/features/log/texts";
import { locale, type Translation } from "~/lib/i18n";

const number = (value: number) => value.toLocaleString(locale("fr"));

const fr: Translation<typeof en> = {
  log: "Journal", runLog: "Journal de l’exécution", logOf: (run) => `Journal de ${run}`,
  lines: (count) => (count <= 1 ? `${count} ligne` : `${number(count)} lignes`),
  reading: (known, all) => (all === 0 ? "Lecture" : `Lecture de ${number(known)} lignes sur ${number(all)}`),
  lowest: "Niveau le plus bas affiché", DEBUG: "Debug", INFO: "Info", WARNING: "Avertissement", ERROR: "Erreur",
  find: "Chercher", search: "Chercher dans le journal", searching: "Recherche", none: "Aucun résultat", of: (at, count) => `${at} sur ${count}`,
  count: number, next: "Résultat suivant", previous: "Résultat précédent",
  firstError: "Première erreur", nextError: "Erreur suivante", previousError: "Erreur précédente", follow: "Suivre",
  wrap: "Couper les lignes", plain: "Texte brut", download: "Télécharger le journal",
  following: "Suivi en cours. Remontez pour arrêter, Fin pour reprendre.", notFollowing: "Suivi arrêté. Fin pour reprendre.",
  ended: (status) => `L’exécution est terminée : ${status}.`,
  dropped: (count) => `${number(count)} lignes n’ont pas été gardées : le journal dépasse la taille conservée.`,
  attempt: (attempt, of) => `essai ${attempt} sur ${of}`,
  warnings: (count) => (count <= 1 ? `${count} avertissement` : `${number(count)} avertissements`),
  errors: (count) => (count <= 1 ? `${count} erreur` : `${number(count)} erreurs`),
  live: "en direct", copy: "Copier", copyLines: "Copier la ligne ou la sélection", link: "Lien", linkTo: (seq) => `Copier un lien vers la ligne ${seq}`,
  copyLink: "Copier un lien vers la ligne", copiedLink: (seq) => `Lien vers la ligne ${seq} copié`,
  copied: (count) => (count <= 1 ? `${count} ligne copiée` : `${number(count)} lignes copiées`),
  notCopied: "Rien n’a été copié", emptyTitle: "Aucune ligne pour l’instant", empty: "L’exécution n’a encore rien dit.",
  hiddenTitle: "Aucune ligne de ce niveau", hidden: (count) => `${number(count)} lignes sont masquées.`, showAll: "Afficher tous les niveaux",
  failedTitle: "Le journal n’a pas pu être lu", spoken: (seq, level, text) => `Ligne ${seq}, ${level} : ${text}`,
  openStep: (step) => `Étape ${step}`, run: "Exécution", runs: "Exécutions", jobs: "Tâches",
};

export default fr;
