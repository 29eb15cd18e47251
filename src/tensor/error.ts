/**
 * The one error class for what a user can mend: a bad model, data set or option.
 * Anything else is thrown as `Error("internal: …")`.
 */

/** What kind of input was wrong. */
export type ErrorCode =
  | "bad-model"
  | "bad-data"
  | "bad-option"
  | "bad-shape"
  | "bad-recipe"
  | "unsupported"
  | "diverged"
  | "io";

/** An error whose message says what was expected, what was found and what to do, in one line. */
export class NetpareError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NetpareError";
    this.code = code;
  }
}
