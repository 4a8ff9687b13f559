/** The same in French. */
import type { en } from "~/features/settings/sourceTexts";
import type { Translation } from "~/lib/i18n";

const n = (count: number) => count.toLocaleString("fr-FR");

const fr: Translation<typeof en> = {
  pools: "Pools", connectors: "Connecteurs", failedTitle: "Ceci n'a pas pu être lu",
  poolsHelp: "Les nombres sont ceux de ce processus.", noPools: "Aucun pool", noPoolsHelp: "Déclarez [pools.<nom>] dans connectors.toml.",
  up: "en marche", full: "plein", notOpened: "pas encore ouvert", unusable: "inutilisable",
  inUse: "prises", idle: "libres", openOf: (open, limit) => (limit === null ? `${open} ouvertes` : `${open} ouvertes sur ${limit}`),
  settings: (size, overflow) => `${size ?? "–"} gardées, ${overflow ?? "–"} de plus au besoin`,
  timeout: (seconds) => `attend une connexion ${seconds} s`, maxRuns: (runs) => (runs === 1 ? "1 exécution à la fois" : `${n(runs)} exécutions à la fois`), maxRows: (rows) => `${n(rows)} lignes au plus`,
  jobs: (count) => (count === 1 ? "1 tâche l'utilise" : `${n(count)} tâches l'utilisent`), unused: "aucune tâche ne le nomme",
  test: "Tester", testPool: (pool) => `Tester ${pool}`, answered: (ms) => `a répondu en ${ms}`, refused: "n'a pas répondu",
  reload: "Rouvrir", reloadPool: (pool) => `Rouvrir ${pool}`, reloadTitle: (pool) => `Rouvrir le pool ${pool} ?`,
  reloadText: "Ses connexions sont fermées, celles en usage à leur retour. D'autres sont ouvertes à la demande. Ce qui tourne n'est pas dérangé.",
  reloadVerb: "Rouvrir", keep: "Laisser", reloaded: (pool) => `${pool} est rouvert`, notReloaded: (pool) => `${pool} n'a pas été rouvert`,
  notTested: (pool) => `${pool} n'a pas pu être testé`,
  list: "Connecteurs", file: "connectors.toml", noConnectors: "Aucun connecteur", noConnectorsHelp: "Déclarez [connectors.<nom>] dans connectors.toml.",
  choose: "Choisissez un connecteur pour voir ce qu'il déclare.", gone: (name) => `Il n'y a pas de connecteur ${name}.`,
  sql: "SQL", api: "API", broken: "inutilisable", queries: "Requêtes", endpoints: "Points d'accès", tables: "Tables", pool: "Pool", address: "Adresse", sign: "Authentification", nothing: "Il n'en déclare pas.",
  search: "Chercher un connecteur", count: (shown, all) => (shown === all ? n(all) : `${n(shown)} sur ${n(all)}`),
  reads: "lit", writes: "écrit", params: "Paramètres", noParams: "Sans paramètre", required: "requis", default_: (value) => `par défaut ${value}`,
  run: "Lancer la requête", running: "En cours", rows: "Lignes à montrer", onPool: "Sur le pool", rowsFound: (count, ms) => `${count === 1 ? "1 ligne" : `${n(count)} lignes`} en ${ms}`, more: "Il y a d'autres lignes.",
  noRows: "Aucune ligne.", result: "Résultat", notRun: "La requête n'a pas été lancée", null_: "null", onlyReads: "Seules les requêtes qui lisent peuvent être lancées ici.", listHelp: "Plusieurs valeurs : une par ligne.", isTrue: "vrai",
  schema: "Schéma", findTable: "Chercher une table", table: "table", view: "vue", tablesFound: (count) => (count === 1 ? "1 table" : `${n(count)} tables`), noTables: "Aucune table de ce nom.",
  cut: "Seules les 2 000 premières sont listées. Tapez une partie du nom.", columns: (table) => `Colonnes de ${table}`, column: "Colonne", type: "Type", nullable: "Peut être null", key: "Clé", yes: "oui", chooseTable: "Choisissez une table pour voir ses colonnes.",
  fileLabel: "Texte de connectors.toml", checking: "Vérification", good: "Rien à redire", problems: (count) => (count === 1 ? "1 problème" : `${n(count)} problèmes`),
  line: (number) => `ligne ${number}`, save: "Enregistrer", saved: "connectors.toml est enregistré et chargé", notSaved: "Rien n'a été enregistré", unchanged: "Aucun changement", changed: "Pas encore enregistré", discard: "Abandonner les changements",
  secrets: "*** tient lieu de secret : laissez-le pour le garder, écrivez par-dessus pour le changer. Un nouveau secret est chiffré à l'enregistrement.",
  conflict: "Le fichier a changé sur le disque depuis que vous l'avez ouvert.", takeTheirs: "Charger le fichier", takeMine: "Enregistrer le mien par-dessus", goTo: "Aller à la ligne",
};
export default fr;
