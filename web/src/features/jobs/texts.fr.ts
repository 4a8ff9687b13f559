/** The same in French. */
import type { en } from "~/features/jobs/texts";
import type { Translation } from "~/lib/i18n";

const fr: Translation<typeof en> = {
  title: "Tâches", live: "En direct", label: "Tâches", byState: "Tâches par état", all: "Toutes",
  state: "État", job: "Tâche", strip: "60 dernières échéances", schedule: "Horaire", lastAndNext: "Dernière et prochaine",
  on: "Active", actions: "Actions", last: "Dern.", next: "Proch.", steps: (count) => (count === 1 ? "1 étape" : `${count} étapes`),
  noSchedule: "Sans horaire", byHand: "à la main ou depuis une tâche",
  filter: "Filtrer les tâches", filterHint: "state:  tag:  app:",
  summary: (shown, all) => (shown === all ? `${all} tâches` : `${shown} tâches sur ${all}`),
  reload: "Relire les fichiers", reloaded: (jobs) => `Relu : ${jobs} tâches`,
  runNow: (job) => `Lancer ${job} maintenant`, run: "Lancer", started: (id) => `${id} est parti`,
  startedSkipped: (id) => `${id} a été sauté`, abort: (job) => `Arrêter ${job}`,
  enabled: (job) => `${job} active`, on_: (job) => `${job} est active`, off: (job) => `${job} est désactivée`,
  refused: (job) => `${job} est restée comme elle était`, notStarted: (job) => `${job} n'est pas partie`,
  quarantineHelp: "La tâche ne part pas tant que ce n'est pas corrigé.",
  emptyTitle: "Aucune tâche", empty: "Mettez un jobs.toml dans le dossier des applications, ou démarrez avec --demo.",
  running: (count) => (count === 1 ? "1 exécution en cours" : `${count} exécutions en cours`),
  nextRow: "Tâche suivante", previousRow: "Tâche précédente", openRow: "Ouvrir la tâche", failedTitle: "Les tâches n'ont pas pu être lues",
  until: "jusqu'à",
};
export default fr;
