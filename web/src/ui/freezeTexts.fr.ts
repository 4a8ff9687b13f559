/** The same in French. */
import type { Translation } from "~/lib/i18n";
import type { en } from "~/ui/freezeTexts";

const fr: Translation<typeof en> = {
  add: "Geler les horaires", title: "Geler tous les horaires", verb: "Geler", until: "Jusqu'à", untilHelp: "Vide : jusqu'à la levée à la main. Votre heure locale.",
  past: "C'est passé.", reason: "Raison", reasonHint: "mise à jour du réseau", what: "Ce qui échoit entre-temps",
  drop: "n'est pas lancé", dropHelp: "Chaque échéance reste dans l'historique comme retenue.",
  latest: "part une fois, la dernière de chaque horaire", latestHelp: "À la fin du gel.",
  all: "part, chaque échéance", allHelp: "L'une après l'autre, à la fin du gel.",
  help: "Les exécutions en cours ou lancées à la main ne sont pas touchées.",
  frozen: "Les horaires sont gelés", by: (who) => `par ${who}`, openEnd: "jusqu'à la levée", untilWord: "jusqu'au", thenDropped: "Ce qui échoit entre-temps n'est pas lancé.", thenRunsLatest: "À la fin, la dernière échéance de chaque horaire part.", thenRunsAll: "À la fin, chaque échéance passée part.", end: "Lever le gel",
  endTitle: "Lever le gel ?", endVerb: "Lever le gel", keep: "Laisser gelé",
  thenDrop: "Ce qui est échu entre-temps n'est pas lancé.", thenLatest: "La dernière échéance de chaque horaire part maintenant.", thenAll: "Chaque échéance passée part maintenant.",
  nextFires: "Les horaires repartent dès maintenant.", done: "Tous les horaires sont gelés", ended: "Les horaires repartent", failed: "Rien n'a changé",
};
export default fr;
