/** The same in French. */
import type { Translation } from "~/lib/i18n";
import type { en } from "~/ui/texts";

const fr: Translation<typeof en> = {
  queued: "en file", running: "en cours", aborting: "arrêt en cours", succeeded: "réussi", failed: "échoué",
  "partial-success": "réussi en partie", aborted: "arrêté", skipped: "sauté",
  up: "En ordre", late: "En retard", failing: "En échec", paused: "En pause", quarantined: "En quarantaine",
  manual: "À la main", frozen: "Gelée", disabled: "Désactivée", "never-due": "Jamais due", scheduled: "Planifiée",
  "ran-late": "parti en retard", "caught-up": "rattrapé", missed: "manqué", held: "retenu", due: "dû, pas parti",
  unknown: "inconnu",
  close: "Fermer", cancel: "Annuler", copy: "Copier", copied: "Copié", loading: "Chargement",
  tryAgain: "Réessayer", copyDetails: "Copier les détails", failedTitle: "Lecture impossible",
  noAnswer: "Le serveur ne répond pas. Il redémarre peut-être, ou le réseau est coupé.",
  forbiddenTitle: "Rien ici pour vous",
  forbidden: "Cette page n'existe pas, ou vos rôles ne la comprennent pas. Demandez à un administrateur.",
  toJobs: "Retour à l'accueil",
  filter: "Filtrer", removeFilter: (what) => `Retirer le filtre ${what}`,
  nothingMatches: (what) => `Rien ne correspond à ${what}`,
  hidden: (count) => (count === 1 ? "1 élément est caché par ce filtre." : `${count} éléments sont cachés par ce filtre.`),
  clearAll: "Tout effacer", drop: (what) => `Retirer ${what}`,
  strip: (job, count, counts) => `${job}, ${count} dernières échéances : ${counts}`,
  noInstants: (job) => `${job} : aucune échéance pour l'instant`,
  together: (count) => `${count} échéances de suite`, suggestions: "Suggestions",
  saved: "Filtres gardés", saveFilter: "Garder ce filtre", savedName: "Nom", save: "Garder", forget: (name) => `Oublier ${name}`,
  more: (count) => `${count} de plus`, expand: "Ouvrir", collapse: "Replier",
  dismiss: "Fermer", selectAll: "Tout sélectionner", select: (what) => `Sélectionner ${what}`,
};
export default fr;
