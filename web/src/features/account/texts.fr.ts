/** The same in French. */
import type { en } from "~/features/account/texts";
import type { Translation } from "~/lib/i18n";

const fr: Translation<typeof en> = {
  title: "Connexion", name: "Nom d'utilisateur", password: "Mot de passe", signIn: "Se connecter",
  linkRefused: "Ce lien de connexion a servi, a expiré ou est faux. Demandez-en un autre, ou connectez-vous avec votre mot de passe.",
  ended: "Votre session est terminée. Connectez-vous pour revenir où vous étiez.",
  help: "Pas encore de compte ? Un administrateur en crée un :", language: "English",
};
export default fr;
