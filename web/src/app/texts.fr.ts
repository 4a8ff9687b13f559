/** The same in French. */
import type { en } from "~/app/texts";
import type { Translation } from "~/lib/i18n";

const fr: Translation<typeof en> = {
  jobs: "Tâches", runs: "Exécutions", schedule: "Calendrier", settings: "Réglages",
  main: "Principal", skip: "Aller au contenu", keys: "Raccourcis clavier", signOut: "Se déconnecter",
  palette: "Trouver une tâche, une exécution, une commande", paletteLabel: "Chercher ou lancer une commande",
  openPalette: "Palette de commandes",
  theme: (name) => `Thème : ${name}`, auto: "celui du système", light: "clair", dark: "sombre", nextTheme: "Changer de thème",
  account: (name) => `Compte : ${name}`, signedInAs: (name) => `Connecté en tant que ${name}`,
  language: "Langue : English", singleKeys: "Raccourcis à une touche", singleKeysHelp: "Désactivés : seules les touches avec Ctrl agissent.",
  nothing: "Rien trouvé", pages: "Page", job: "Tâche", run: "Exécution", command: "Commande", openRun: (id) => `Ouvrir l'exécution ${id}`,
  lost: (at) => `Non connecté, état de ${at}`, lostHelp: "Le direct est arrêté. Les durées avancent, les nombres non.",
  reconnect: "Reconnecter", goTo: (page) => `Aller à ${page}`,
  broken: "Cette page a un défaut", newVersion: "Nomaflow a été mis à jour. Rechargez la page.", reload: "Recharger",
  noRights: "Vous êtes connecté, mais aucun de vos rôles n'ouvre une page. Demandez à un administrateur.",
};
export default fr;
