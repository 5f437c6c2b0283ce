// The error classes of @promptloss/torch. Each carries its facts as fields and, where there is one, a hint.

export interface TorchErrorOptions {
  /** What to do about it, in one sentence. */
  hint?: string | undefined;
  cause?: unknown;
}

/** The base of every error that this package throws. */
export class TorchError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: TorchErrorOptions = {}) {
    const { hint, cause } = options;
    super(message, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.hint = hint;
  }
}

/** The native code is missing or does not load. */
export class NotBuiltError extends TorchError {
  constructor(message: string, cause?: unknown) {
    super(message, { hint: "run `npx promptloss-torch setup`; it says what it needs", cause });
  }
}

/** The dispatcher knows no operator, or no overload, of this name. */
export class UnknownOperatorError extends TorchError {
  readonly operator: string;
  /** The overloads that the operator has; empty where the name itself is unknown. */
  readonly overloads: readonly string[];

  constructor(message: string, operator: string, overloads: readonly string[]) {
    super(message, { hint: "names and overloads are those of PyTorch's native_functions.yaml" });
    this.operator = operator;
    this.overloads = overloads;
  }
}

/** An argument that the operator's schema does not take; thrown before the operator runs. */
export class ArgumentError extends TorchError {
  readonly operator: string | undefined;
  readonly argument: string | undefined;
  /** The type that the schema asks for, "Tensor?" or "int[2]". */
  readonly expected: string | undefined;
  readonly received: string | undefined;

  constructor(
    message: string,
    fields: { operator?: string; argument?: string; expected?: string; received?: string } = {},
    options: TorchErrorOptions = {},
  ) {
    super(message, options);
    this.operator = fields.operator;
    this.argument = fields.argument;
    this.expected = fields.expected;
    this.received = fields.received;
  }
}

/** The operator itself refused. */
export class OperatorError extends TorchError {
  readonly operator: string | undefined;
  /** The operator's tensors, each as "[2, 3] float32". */
  readonly shapes: readonly string[];

  constructor(message: string, operator: string | undefined, shapes: readonly string[], hint?: string) {
    super(message, { hint });
    this.operator = operator;
    this.shapes = shapes;
  }
}

/** The operator refused because sizes or dimensions don't fit. */
export class ShapeError extends OperatorError {}

/** No memory for a tensor. What was allocated before is intact. */
export class OutOfMemoryError extends OperatorError {
  /** The bytes asked for, where libtorch says. */
  readonly bytes: number | undefined;

  constructor(message: string, operator: string | undefined, shapes: readonly string[]) {
    super(message, operator, shapes, "use smaller batches, free tensors with scope(), or check the sizes");
    const asked = /allocate (\d+) bytes/.exec(message)?.[1];
    this.bytes = asked === undefined ? undefined : Number(asked);
  }
}

/** A tensor was used after it was freed: by `free`, `using`, or the end of its scope. */
export class UseAfterFreeError extends TorchError {
  constructor(message = "the tensor was freed") {
    super(message, { hint: "return it from its scope(), or keep() it there" });
  }
}
