/** The same in French. */
import type { en } from "~/features/settings/texts";
import type { Translation } from "~/lib/i18n";

const n = (count: number) => count.toLocaleString("fr-FR");

const fr: Translation<typeof en> = {
  settings: "Réglages", technical: "Technique", pools: "Pools", connectors: "Connecteurs",
  live: "En direct", paused: "En pause", pause: "Suspendre", resume: "Reprendre", copyAll: "Copier pour l'assistance",
  reload: "Relire les fichiers", reloaded: (jobs, quarantined) => `Relu : ${n(jobs)} tâches${quarantined > 0 ? `, dont ${quarantined} en quarantaine` : ""}`,
  notReloaded: "Rien n'a été relu", failedTitle: "Ceci n'a pas pu être lu",
  alive: "L'ordonnanceur est vivant", judged: (at) => `et a jugé chaque échéance jusqu'à ${at}.`,
  standby: "Ce processus est en réserve", standbyBy: (holder) => `pendant que ${holder} suit les horaires.`,
  off: "L'ordonnanceur est arrêté", offHelp: "dans ce processus, et aucun autre ne suit les horaires. On peut encore lancer à la main.",
  dead: "L'ordonnanceur ne bat plus", deadHelp: (at) => `depuis ${at} : rien ne part. Redémarrez le processus, puis lisez son journal.`, deadEver: "et n'a jamais battu : rien ne part. Lisez le journal du processus.",
  noWait: "Rien n'attend.", waits: "Des exécutions attendent, aucune n'est perdue.",
  poolsFull: (count) => (count === 1 ? "1 pool plein" : `${count} pools pleins`), silent: (count) => (count === 1 ? "1 réplique muette" : `${count} répliques muettes`),
  quarantined: (count) => (count === 1 ? "1 tâche en quarantaine" : `${count} tâches en quarantaine`), neverDue: (count) => (count === 1 ? "1 tâche sans échéance" : `${count} tâches sans échéance`),
  unusable: (count) => (count === 1 ? "1 pool inutilisable" : `${count} pools inutilisables`),
  heartbeat: "Battement de l'ordonnanceur", lastFire: "Dernier départ", nextFire: "Prochain départ", queue: "File", lag: "Retard de la boucle", lease: "Bail de l'ordonnanceur",
  never: "aucun encore", none: "aucun", waiting: (count) => `${n(count)} en attente`, hereWaiting: (count) => `dont ${n(count)} attendent ici une place`,
  noneWaiting: "aucune n'attend de place", worst: (ms, at) => `au pire ${ms} à ${at}`, unmeasured: "pas encore mesuré",
  leaseNumber: (epoch) => `numéro ${epoch}, renouvelé`, noLease: "personne", noLeaseHelp: "aucun processus ne suit les horaires",
  inFlight: "En cours", runsCount: (count) => (count === 1 ? "1 exécution" : `${n(count)} exécutions`), mark: "repère : médiane des 20 dernières",
  run: "Exécution", job: "Tâche", state: "État", step: "Étape", elapsed: "Écoulé", against: "Face à sa médiane",
  left: (span) => `encore ${span} environ`, over: (span) => `au-delà de sa médiane de ${span}`, noMedian: "aucun succès auquel comparer",
  waitsThread: "attend un fil", stopping: (how) => `s'arrête : ${how}`, nothingRuns: "Rien ne tourne en ce moment.", abort: (id) => `Arrêter ${id}`, aborted: (id) => `${id} s'arrête`, notAborted: (id) => `${id} n'a pas été arrêtée`,
  hiddenRuns: (count) => (count === 1 ? "1 autre exécution ne vous est pas visible." : `${n(count)} autres exécutions ne vous sont pas visibles.`),
  abortTitle: (id) => `Arrêter ${id} ?`, abortText: (job, step) => `${job} s'arrêterait${step === "" ? "" : ` à l'étape ${step}`}. Ce qui est écrit reste.`, abortVerb: "Arrêter", keepRunning: "Laisser tourner",
  replicas: "Répliques", alive_: (alive, all) => `${alive} vivantes sur ${all}`, replica: "Réplique", role: "Rôle", lastBeat: "Dernier battement", version: "Version", since: "Depuis",
  isAlive: "vivante", isSilent: "muette", leads: "dirige", here: "celle-ci",
  versions: (names) => `Plusieurs versions tournent : ${names}.`,
  inUse: "pris", idle: "libres", notOpened: "non ouverts", of: (open, limit) => (limit === null ? `${open} ouverts` : `${open} ouverts sur ${limit}`), full: "plein", notYet: "pas encore ouvert",
  toPools: "Tester, rouvrir", poolBar: (use, idle, open, limit) => `${use} pris, ${idle} libres, ${open} ouverts sur ${limit}`,
  lagFor: "ce processus, 30 min, échelle log", lagLabel: (worst) => `Retard de la boucle des 30 dernières minutes, au pire ${worst}`, limit: (ms) => `limite ${ms}`,
  held: (at, span) => `${at}, retenue ${span}`, heldBy: "par", noHolder: "Aucun code n'a retenu la boucle.",
  failures: "Échecs récents", failuresCount: "20 derniers, échecs ou arrêts", allRuns: "Toutes les exécutions", when: "Quand", took: "Durée", reason: "Raison", flap: "Répétition", times: (count) => `${count} fois`, noFailures: "Rien n'a échoué ni été arrêté.",
  abandoned: "Fils abandonnés", threads: (threads, coroutines) => `${threads} fils, ${coroutines} coroutines`, nowAt: "Maintenant à", noneAbandoned: "Chaque étape a rendu son fil.",
  abandonedHelp: "Leurs exécutions sont finies. Le code continue jusqu'au retour de son appel ; un redémarrage du processus y met fin.", busy: (count) => `${count} fils au travail`,
};
export default fr;
