/** The image library, loaded when an image is first read or written: commands that touch none start a third sooner. */

/** sharp's constructor. */
export async function loadSharp() {
  return (await import("sharp")).default;
}
