/** The same in French. */
import type { en } from "~/features/schedule/texts";
import type { Translation } from "~/lib/i18n";

const n = (count: number) => count.toLocaleString("fr-FR");

const fr: Translation<typeof en> = {
  title: "Calendrier", day: "Jour", week: "Semaine", list: "Liste", view: "Vue", today: "Aujourd'hui",
  previousDay: "Jour précédent", nextDay: "Jour suivant", previousWeek: "Semaine précédente", nextWeek: "Semaine suivante",
  previous: "Plus tôt", next: "Plus tard", dayView: "Vue du jour", weekView: "Vue de la semaine", listView: "Liste des horaires",
  filter: "Filtrer les tâches", filterHint: "job:  app:  tag:  verdict:",
  summary: (shown, all) => (shown === all ? `${n(all)} tâches` : `${n(shown)} tâches sur ${n(all)}`),
  schedules: (shown, all) => (shown === all ? `${n(all)} horaires` : `${n(shown)} horaires sur ${n(all)}`),
  cut: "Seules les 500 premières tâches sont montrées. Filtrez par tâche pour voir les autres.",
  due: (count) => `${n(count)} échéances jusqu'ici`, nothingDue: "Aucune échéance jusqu'ici", nothing: "Aucune échéance dans cette période",
  show: (what) => `Montrer les tâches : ${what}`,
  toCome: (count, held) => `${n(count)} à venir${held > 0 ? `, dont ${n(held)} retenues` : ""}`,
  label: "Échéances par tâche", job: "Tâche", perHour: "Par heure", atMost: (most) => `${n(most)} au plus`, perHourLabel: (most) => `Échéances par heure, ${n(most)} au plus`,
  nothingCut: "tout ce qui est à venir n'est pas compté",
  now: (clock) => `maintenant ${clock}`, hoursDay: (hours) => `jour de ${hours} h`,
  outage: (length) => `sans ordonnanceur ${length}`, down: "sans ordonnanceur", freeze: "Gel", freezeFor: (length) => `Gel, ${length}`,
  twice: (clock) => `${clock} vient deux fois`, missing: (clock) => `${clock} n'existe pas`,
  atOnce: (count) => `${count} à la fois`,
  atOnceAt: (count, clock) => `${count} exécutions partent à ${clock}, plus qu'il ne peut y en avoir à la fois`,
  lane: (job, text, counts) => `${job}, ${text} : ${counts}. Les flèches vont d'une échéance à l'autre, w explique.`,
  none: "aucune échéance", of: (part, all, what) => `${part} sur ${all} dans cette heure : ${what}`,
  legendPast: "Passé, la hauteur est la durée", legendComing: "À venir", planned: "prévue", late: "en retard",
  hourly: "Une tâche qui part plus d'une fois par heure montre une barre par heure, la pire.",
  nextLane: "Tâche suivante", previousLane: "Tâche précédente", explain: "Expliquer",
  whyNot: "Pourquoi n'est-elle pas partie ?", whyRan: "Ce qu'il en est advenu", whyComing: "Ce qui va se passer",
  dueAt: "échéance", alsoDue: (count, part, what) => `${count} échéances dans cette heure, dont ${part} : ${what}. Celle-ci est la première.`,
  severalComing: "La tâche part encore dans cette heure.", run: "Exécution", runFor: "Lancer pour cette échéance", ran: (job) => `${job} est lancée pour cette échéance`,
  notRun: (job) => `${job} n'a pas été lancée`, openRun: (id) => `Ouvrir ${id}`, copyCommand: "Copier la commande", close: "Fermer",
  heldNow: (why) => (why === "frozen" ? "Le gel la retiendrait." : "La pause de la tâche la retiendrait."),
  took: "Durée", zone: "À l'heure de la tâche", explaining: "Recherche en cours",
  notes: "Bon à savoir", crowds: "Minutes avec plus d'exécutions qu'il ne peut y en avoir à la fois", overlaps: "Exécutions qui rencontreront la précédente", clocks: "Changements d'heure",
  more: (count) => `${n(count)} de plus`,
  addFreeze: "Geler", frozen: "Gelé",
  emptyTitle: "Aucune tâche n'a d'horaire", empty: "Donnez un `schedule` à une tâche et ses échéances apparaissent ici.",
  failedTitle: "Le calendrier n'a pas pu être lu",
  schedule: "Horaire", preset: "Préréglage", words: "En mots", nextFire: "Prochaine échéance", fires: "Échéances de la semaine", zoneHead: "Fuseau", off: "désactivé", main: "principal",
  nextRow: "Horaire suivant", previousRow: "Horaire précédent", openRow: "Ouvrir la tâche",
  days: "Jour", often: (count) => `${n(count)} ce jour`, nothingThisDay: "Aucune échéance ce jour.",
  longer: (count) => `${count} exécutions à la fois`,
};
export default fr;
