/** Lets a wide table scroll sideways by itself, by touch, wheel and keys. */

import type { ComponentChildren } from "preact";

/** `label` names the region for those who cannot see it. */
export function ScrollBox(props: {
  readonly label: string;
  readonly tall?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section class={props.tall ? "scroll tall" : "scroll"} aria-label={props.label} tabIndex={0}>
      {props.children}
    </section>
  );
}
