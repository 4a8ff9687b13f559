/** The same in French. */
import type { en } from "~/features/builder/texts";
import type { Translation } from "~/lib/i18n";

const ACTIONS: Readonly<Record<string, string>> = { create: "créée", change: "modifiée", restore: "rétablie", rename: "renommée", duplicate: "copiée", file: "modifiée dans le fichier" };

const fr: Translation<typeof en> = {
  jobs: "Tâches", crumb: "Fil d'Ariane", newJob: "Nouvelle tâche", notRead: (job) => `La définition de ${job} n'a pas pu être lue`,
  save: "Enregistrer", saveAs: (version) => `Enregistrer v${version}`, create: "Créer la tâche", discard: "Abandonner", cancel: "Annuler", more: "Renommer, dupliquer, supprimer",
  versions: "Versions", problems: (count) => (count === 1 ? "1 problème" : `${count} problèmes`),
  notSavedYet: "pas encore enregistrée", edited: (version) => (version === null ? "modifiée" : `modifiée, depuis v${version}`),
  unchanged: (version) => (version === null ? "comme dans le fichier" : `v${version}, comme dans le fichier`),
  saved: (job) => `${job} enregistrée`, savedAs: (job, version) => `${job} enregistrée en v${version}`, notSaved: "Rien n'a été enregistré",
  made: (job, file) => `${job} créée dans ${file}`, renamed: (job) => `S'appelle maintenant ${job}`, duplicated: (job) => `${job} créée, ses horaires sont désactivés`,
  deleted: (job) => `${job} supprimée`, undo: "Annuler", isBack: (job) => `${job} est de retour`, tryAgain: "Réessayer",
  shipped: "Cette tâche est livrée avec le programme. On peut la lire et la copier, pas la modifier.",
  unreadable: "Le texte est illisible. Le formulaire attend qu'il le soit à nouveau.",
  leaveTitle: "Partir sans enregistrer ?", leave: "Partir", stay: "Rester", leaveText: "Vos modifications de cette tâche ne sont pas enregistrées et seraient perdues.",
  rename: "Renommer", renameTitle: (job) => `Renommer ${job}`, renameText: "Les tâches qui en dépendent ou l'appellent suivent. Les exécutions et versions passées gardent l'ancien nom.",
  duplicate: "Dupliquer", duplicateTitle: (job) => `Dupliquer ${job}`, duplicateText: "Une copie dans le même fichier, avec ses commentaires. Ses horaires sont désactivés.",
  newName: "Nouveau nom", nameRule: "1 à 64 lettres, chiffres, - et _, en commençant par une lettre ou un chiffre", unsavedStays: "Ce qui n'est pas enregistré n'en fait pas partie et sera perdu.",
  deleteJob: "Supprimer la tâche", keepJob: "Garder la tâche", deleteTitle: (job) => `Supprimer ${job} ?`, deleteText: (file) => `Elle est retirée de ${file} et ne s'exécute plus. Ses exécutions, journaux et versions sont gardés.`,
  versionsOf: (job) => `Versions de ${job}`, noVersions: "Aucune version", noVersionsText: "Une version est gardée dès que la définition est lue sans problème.",
  fromFile: "depuis le fichier", current: "actuelle", restore: (version) => `Rétablir v${version}`, restoreTitle: (version) => `Rétablir v${version} ?`,
  restoreText: "La tâche est réécrite comme elle était. C'est une nouvelle version ; rien n'est perdu.", restoreLoses: "Vos modifications non enregistrées sont remplacées.", restored: (from, version) => `v${from} rétablie en v${version}`,
  actions: (action) => ACTIONS[action] ?? action, diffOf: (from, to) => `De v${from} à v${to}`, noEarlier: "Il n'y a rien à comparer.", noDifference: "Aucune différence.",
  added: "ajouté", removed: "retiré", changedOnDisk: (file) => `${file} a changé`, nothingLost: "Rien n'a été écrasé.", andMore: (count) => `et ${count} de plus`,
  showDiff: "Voir les différences", takeTheirs: "Prendre le leur", keepMine: "Garder le mien", openedToNow: "Changé dans le fichier", nowToMine: "Ce que votre version changerait",
  schedule: "Horaire", when: "Quand", byHand: "à la main seulement", onlyByHand: "Seulement à la main ou depuis une tâche", nextFires: (count) => `${count} prochains départs`, furtherSchedules: "Autres horaires", serversZone: "celui du serveur",
  steps: "Étapes", inOrder: (count) => `${count}, dans l'ordre`, addStep: "Ajouter une étape", kindOfStep: "Type d'étape", noSteps: "Aucune étape", noStepsText: "Une tâche fait ses étapes l'une après l'autre. Ajoutez la première.",
  moveStep: (step, place, count) => `Déplacer ${step}, étape ${place} sur ${count}. Alt et flèches.`, movedTo: (step, place, count) => `${step} est l'étape ${place} sur ${count}`,
  cloneStep: "Cloner l'étape", deleteStep: "Supprimer l'étape", moreForStep: "Autres actions de l'étape", moreOptions: "Autres options", whenItRuns: "Quand et comment", written: (count) => `${count} définis`,
  name: "Nom", nameHint: "chargement-nocturne", file: "Fichier", identity: "Identité", params: "Paramètres", retry: "Nouveaux essais", alerts: "Alertes", dependsOn: "Dépend de", limits: "Limites", otherSettings: "Autres réglages", hasProblem: "a un problème",
  declareParams: "Déclarer types et choix", presets: "Préréglages", tagged: (tags) => `étiquettes ${tags}`, off: "désactivée", nothing: "aucun",
  tries: (count, backoff, seconds) => `${count} essais, ${backoff} depuis ${seconds} s`, onceOnly: "un seul essai", usualAlerts: "comme le serveur", setHere: "définies ici",
  mustSucceed: (jobs) => `${jobs} doit avoir réussi`, noLimit: "pas de limite pour l'exécution", wholeRun: (seconds) => `exécution ${seconds} s`, oneAtATime: "une à la fois", mayOverlap: "peuvent se chevaucher", logs: (level) => `journal ${level}`,
  none: "non défini", choose: "choisir", usually: (value) => `${value} (par défaut)`, wordsHint: "un, deux", newKey: (label) => `Nouvelle clé de ${label}`, newKeyHint: "clé", addKey: "Ajouter", removeKey: (key) => `Retirer ${key}`, addItem: (label) => `Ajouter à ${label.toLowerCase()}`,
  functionFound: (module, line) => `${module}, ligne ${line}`, functionHint: "module:fonction dans le dossier plugins", noArguments: "Cette fonction ne prend pas d'argument.",
  preview: "Aperçu", previewHelp: "Regarde, ne change rien", readOnly: "lecture seule", again: "Relancer", closePreview: "Fermer l'aperçu", stepIsOff: "L'étape est désactivée.", problemsFirst: "Corrigez d'abord les problèmes",
  sourceNow: "Source", targetNow: "Cible", afterStep: "Après l'étape", rowsLost: "Lignes perdues", guard: "Garde-fou", mapping: "Correspondance des colonnes", column: "Colonne", source: "Source", target: "Cible", detail: "Détail",
  exactColumns: (count) => (count === 1 ? "1 colonne, même type" : `${count} colonnes, mêmes types`), wouldStop: (why) => `s'arrêterait : ${why.replace(/^guard: /, "")}`, withinGuard: "dans les limites", way: (path) => `chemin : ${path}`, firstRows: "Premières lignes", wouldDo: "ferait", input: "entrée",
  testStep: "Tester l'étape", testTitle: (step) => `Tester ${step}`, testText: "L'étape s'exécute pour de vrai : elle écrit ce qu'elle écrit. L'exécution est gardée à part de celles de la tâche.", runStep: "Exécuter l'étape",
  outputsOf: "Résultats des étapes précédentes de l'exécution", outputsOfHelp: "Utile seulement si cette étape s'en sert.", test: "Test", testOf: (run) => `Test ${run}`, closeTest: "Fermer le test", rows: (count) => `${count} lignes`, log: "Journal", output: "résultat",
  both: "Les deux", form: "Formulaire", panels: "Panneaux", writing: "écriture …", inStep: "en accord avec le formulaire", notInStep: "illisible", tomlOf: (file) => `TOML dans ${file}`, noProblems: "Aucun problème", commentsKept: "commentaires et ordre sont gardés",
  atLine: (line, key) => `Ligne ${line} : ${key}`, use: (value) => `Utiliser ${value}`,
};
export default fr;
