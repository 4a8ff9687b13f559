/** Words of the sign-in. */
import { dictionary } from "~/lib/i18n";

export const en = {
  title: "Sign in", name: "User name", password: "Password", signIn: "Sign in",
  linkRefused: "This sign-in link was used, has expired or is wrong. Ask for a new one, or sign in with your password.",
  ended: "Your session has ended. Sign in to go back to where you were.",
  help: "No account yet? An administrator makes one:", language: "Français",
};

export const texts = dictionary(en, () => import("./texts.fr"));
