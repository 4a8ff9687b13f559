/** The menu itself, on Mantine: a file of its own so that the first load does without it. */
import { Menu as MantineMenu } from "@mantine/core";

import { Icon } from "~/ui/Icon";
import type { MenuProps } from "~/ui/Menu";
import "@mantine/core/styles/Popover.layer.css";
import "@mantine/core/styles/Menu.layer.css";

export default function OpenMenu({ button, entries, heading }: MenuProps) {
  return (
    <MantineMenu
      defaultOpened
      position="bottom-end"
      offset={4}
      transitionProps={{ duration: 0 }}
      classNames={{ dropdown: "pop menu", item: "menu-item" }}
    >
      <MantineMenu.Target>{button}</MantineMenu.Target>
      <MantineMenu.Dropdown>
        {heading && <MantineMenu.Label>{heading}</MantineMenu.Label>}
        {entries.map((one) => (
          <MantineMenu.Item
            key={one.label}
            className={one.dangerous ? "menu-item danger" : "menu-item"}
            leftSection={one.icon && <Icon name={one.icon} />}
            rightSection={one.keys && <kbd>{one.keys}</kbd>}
            onClick={one.run}
          >
            {one.label}
          </MantineMenu.Item>
        ))}
      </MantineMenu.Dropdown>
    </MantineMenu>
  );
}
