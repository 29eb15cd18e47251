/** Holds a drawn SVG and draws it again when the room for it changes. */

import { useEffect, useRef, useState } from "preact/hooks";

/** Draws a figure `width` CSS pixels wide. */
export type Draw = (width: number) => Element;

/** `label` says in words what the figure shows. */
export function Chart({ draw, label }: { readonly draw: Draw; readonly label: string }) {
  const holder = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver((entries) => setWidth(Math.floor(entries[0]?.contentRect.width ?? 0)));
    observer.observe(holder.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width < 40) return;
    const figure = draw(width);
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", label);
    holder.current!.replaceChildren(figure);
  }, [draw, label, width]);
  return <div class="chart" ref={holder} />;
}
