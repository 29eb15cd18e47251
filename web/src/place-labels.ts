/**
 * Where to write the names of points so that none covers another name or a point: each name in turn takes the first free place
 * of a fixed list around its point. Greedy; a crowd beyond the list falls back to the first place.
 */

/** A point in pixels, with the width of its name. */
export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** The middle of a name, as an offset in pixels from its point. */
export interface Offset {
  readonly dx: number;
  readonly dy: number;
}

/** A rectangle in pixels, y downwards. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const lineHeight = 16;
const radius = 8;

function boxAround(x: number, y: number, width: number, height: number): Box {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Beside the point but off its level and its upright, where its own lines run; then ever further off. */
function candidates(width: number): readonly Offset[] {
  const side = width / 2 + radius - 2;
  return [0.8, 1.8, 2.8].flatMap((step) => [
    { dx: side, dy: -step * lineHeight },
    { dx: -side, dy: -step * lineHeight },
    { dx: side, dy: step * lineHeight },
    { dx: -side, dy: step * lineHeight },
  ]);
}

/** Offsets for the names of `points`, in their order, inside `bounds` and off `obstacles`. */
export function placeLabels(
  points: readonly LabelledPoint[],
  bounds: Box,
  obstacles: readonly Box[] = [],
): readonly Offset[] {
  const taken: Box[] = [...points.map(({ x, y }) => boxAround(x, y, radius * 2, radius * 2)), ...obstacles];
  return points.map(({ x, y, width }) => {
    const options = candidates(width);
    const free = options.find(({ dx, dy }) => {
      const box = boxAround(x + dx, y + dy, width, lineHeight);
      const inside =
        box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top && box.bottom <= bounds.bottom;
      return inside && !taken.some((other) => overlap(box, other));
    });
    const chosen = free ?? options[0]!;
    taken.push(boxAround(x + chosen.dx, y + chosen.dy, width, lineHeight));
    return chosen;
  });
}
