/** Buttons and links that look like buttons, in the sizes and tones of the design. An icon alone needs a label. */
import type { ComponentPropsWithRef, ReactNode } from "react";
import { Link, type LinkProps } from "react-router";

import { Icon, type IconName } from "~/ui/Icon";

interface Look {
  icon?: IconName;
  tone?: "plain" | "primary" | "danger" | "danger-fill" | "quiet";
  small?: boolean;
  children?: ReactNode;
}

function look({ icon, tone = "plain", small, children }: Look, className = ""): string {
  const tones = { plain: "", primary: " primary", danger: " danger", "danger-fill": " danger fill", quiet: " quiet" };
  const alone = icon !== undefined && children === undefined;
  return `btn${tones[tone]}${small ? " small" : ""}${alone ? " icon" : ""} ${className}`.trimEnd();
}

type ButtonProps = Look & Omit<ComponentPropsWithRef<"button">, "children"> & { busy?: boolean };

export function Button({ icon, tone, small, busy = false, children, className, disabled, ...rest }: ButtonProps) {
  const shown = busy ? "s-run" : icon;
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy}
      className={look({ ...(icon && { icon }), ...(tone && { tone }), ...(small && { small }), children }, className)}
    >
      {shown && <Icon name={shown} spin={busy} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

export function ButtonLink({ icon, tone, small, children, className, ...rest }: Look & Omit<LinkProps, "children">) {
  return (
    <Link {...rest} className={look({ ...(icon && { icon }), ...(tone && { tone }), ...(small && { small }), children }, className)}>
      {icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </Link>
  );
}
