/** A row of options of which one is chosen: radio buttons, so keys and screen readers know them. */

import { useId } from "preact/hooks";

/** `options` in order; `chosen` and `onChoose` speak of their indices. */
export function Segmented(props: {
  readonly label: string;
  readonly options: readonly string[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}) {
  const name = useId();
  return (
    <fieldset class="segmented">
      <legend>{props.label}</legend>
      {props.options.map((option, index) => (
        <label key={index}>
          <input type="radio" name={name} checked={index === props.chosen} onChange={() => props.onChoose(index)} />
          <span>{option}</span>
        </label>
      ))}
    </fieldset>
  );
}
