// The call to any operator of libtorch's dispatcher. `operator` binds one by its name for the typed functions;
// `ops` is the raw door to all of them, checked by their schemas and by nothing else.

import { ArgumentError, UnknownOperatorError } from "./errors.ts";
import { addon, type NativeValue, type OperatorInfo, staleBuildError } from "./native/addon.ts";
import { checkListLength } from "./native/list-length.ts";
import { adopt } from "./scope.ts";
import { shown } from "./shown.ts";
import { type Scalar, Tensor } from "./tensor.ts";

/** What an operator takes: the schema of each says which. */
export type Value =
  | Tensor
  | Scalar
  | string
  | null
  | undefined
  | readonly (Tensor | null | undefined)[]
  | readonly Scalar[]
  | readonly string[];

/** "aten::add.Tensor" → its description; the dispatcher is asked once. @throws {UnknownOperatorError} */
export function resolve(name: string): OperatorInfo {
  const dot = name.indexOf(".");
  return dot < 0 ? addon.resolve(name, "") : addon.resolve(name.slice(0, dot), name.slice(dot + 1));
}

/** The same for an operator that a typed function binds. @throws {NotBuiltError} where our own library lacks it */
function resolveBound(name: string): OperatorInfo {
  try {
    return resolve(name);
  } catch (error) {
    if (error instanceof UnknownOperatorError && name.startsWith("promptloss::"))
      throw staleBuildError(`operator ${name}`);
    throw error;
  }
}

/** Whether this libtorch has the operator. */
export function hasOperator(name: string): boolean {
  const [base = "", overload = ""] = shown(name).split(".");
  return addon.overloads(base).includes(overload);
}

function lower(value: Value): NativeValue {
  if (value instanceof Tensor) return value.handle;
  if (typeof value === "bigint") return lowerInteger(value);
  if (Array.isArray(value)) {
    checkListLength(value);
    for (const element of value)
      if (element instanceof Tensor || typeof element === "bigint") return value.map(lowerElement);
    return value;
  }
  return value;
}

function lowerElement(element: unknown): NativeValue {
  if (element instanceof Tensor) return element.handle;
  return typeof element === "bigint" ? lowerInteger(element) : element;
}

/** On the other side a bigint always means a tensor: what a number can't hold travels as digits after a NUL. */
function lowerInteger(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : `\0${value}`;
}

function lift(value: NativeValue): unknown {
  if (typeof value === "bigint") return adopt(value);
  if (Array.isArray(value)) return value.map(lift);
  if (value instanceof BigInt) return value.valueOf();
  return value;
}

/** Binds an operator that returns new values, as R: Tensor, a tuple of tensors, a number … */
export function operator<R = Tensor>(name: string): (...args: Value[]) => R {
  let index = -1;
  return (...args) => {
    if (index < 0) index = resolveBound(name).index;
    // A call without a spread costs a fifth of a tiny operator less.
    switch (args.length) {
      case 1:
        return lift(addon.call(index, lower(args[0]))) as R;
      case 2:
        return lift(addon.call(index, lower(args[0]), lower(args[1]))) as R;
      case 3:
        return lift(addon.call(index, lower(args[0]), lower(args[1]), lower(args[2]))) as R;
      default:
        return lift(addon.call(index, ...args.map(lower))) as R;
    }
  };
}

/** Binds an operator that writes to its first argument, and returns that argument. */
export function inPlaceOperator(name: string): (self: Tensor, ...args: Value[]) => Tensor {
  let index = -1;
  return (self, ...args) => {
    if (index < 0) index = resolveBound(name).index;
    if (!(self instanceof Tensor)) throw new ArgumentError(`${name}: expected a tensor to write to`);
    addon.run(index, self.handle, ...args.map(lower));
    return self;
  };
}

/** An operator of the raw door: positional arguments, then keyword arguments in an object. */
export type RawOperator = ((...args: (Value | Record<string, Value>)[]) => unknown) & {
  /** The operator's schema as libtorch prints it. */
  readonly schema: string;
};

function isKeywords(value: unknown): value is Record<string, Value> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  );
}

function rawOperator(name: string): RawOperator {
  const info = resolve(name);
  const bound = operator<unknown>(name);
  const call = (...args: (Value | Record<string, Value>)[]): unknown => {
    const last = args.at(-1);
    if (!isKeywords(last)) return bound(...(args as Value[]));
    const positional = args.slice(0, -1) as Value[];
    for (const [key, value] of Object.entries(last)) {
      const at = info.arguments.findIndex((argument) => argument.name === key);
      const problem =
        at < 0 ? "has no argument of this name" : at < positional.length ? "is given twice" : undefined;
      if (problem !== undefined && (at < 0 || at < args.length - 1))
        throw new ArgumentError(`${info.name}: argument '${key}': ${problem}; the schema is ${info.schema}`, {
          operator: info.name,
          argument: key,
        });
      positional[at] = value;
    }
    return bound(...Array.from(positional));
  };
  return Object.assign(call, { schema: info.schema });
}

/** One operator's overloads by name; called itself, it takes the first overload whose schema fits. */
export type RawPacket = ((...args: (Value | Record<string, Value>)[]) => unknown) & {
  readonly [overload: string]: RawOperator;
};

function rawPacket(name: string): RawPacket {
  const known = new Map<string, RawOperator>();
  const overload = (key: string): RawOperator => {
    let found = known.get(key);
    if (found === undefined) {
      found = rawOperator(key === "default" ? name : `${name}.${key}`);
      known.set(key, found);
    }
    return found;
  };
  const call = (...args: (Value | Record<string, Value>)[]): unknown => {
    const names = addon.overloads(name);
    if (names.length === 0) resolve(name);
    let refusal: unknown;
    for (const key of names) {
      try {
        return overload(key || "default")(...args);
      } catch (error) {
        if (!(error instanceof ArgumentError)) throw error;
        refusal ??= error;
      }
    }
    if (names.length === 1) throw refusal;
    throw new ArgumentError(
      `${name}: no overload takes these arguments; it has ${names.map((n) => n || "default").join(", ")}`,
      {
        operator: name,
      },
    );
  };
  return new Proxy(call, {
    // What a promise and JSON.stringify ask of any value is not asked of the dispatcher.
    get: (_, key) =>
      typeof key === "string" && key !== "then" && key !== "toJSON" ? overload(key) : undefined,
  }) as RawPacket;
}

/** `ops.aten.add.Tensor(a, b, { alpha: 2 })`: every operator of every namespace, by its schema's names. */
export type RawOperators = { readonly [namespace: string]: { readonly [name: string]: RawPacket } };

/**
 * The raw door. It is as safe as libtorch's own checks, which a few operators (internal ones, with a leading
 * underscore, above all) lack: a call that breaks their assumptions can end the process.
 */
export const ops: RawOperators = memoised((namespace) =>
  memoised((name) => rawPacket(`${namespace}::${name}`)),
);

function memoised<T>(make: (key: string) => T): { readonly [key: string]: T } {
  const known = new Map<string, T>();
  return new Proxy(Object.create(null) as { [key: string]: T }, {
    get(_, key) {
      if (typeof key !== "string" || key === "then") return undefined;
      let found = known.get(key);
      if (found === undefined) {
        found = make(key);
        known.set(key, found);
      }
      return found;
    },
  });
}
