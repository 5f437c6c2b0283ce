// Who frees what. A tensor belongs to the innermost scope that was open when it was made; outside any scope the
// garbage collector frees it some time after the last use: the addon looks for tensors that V8 has collected while
// others are made, and a finalizer frees the rest when JavaScript returns to its event loop.

import { TorchError } from "./errors.ts";
import { addon, type Handle } from "./native/addon.ts";
import { type Owner, Tensor } from "./tensor.ts";

/** Tensors to free together. `using scope = new Scope()` frees them where the block ends. */
export class Scope implements Owner {
  #tensors: Tensor[] = [];
  #compactAt = 1024;

  constructor() {
    open.push(this);
  }

  /** @internal */
  adopt(tensor: Tensor): void {
    // A long scope whose tensors are freed by hand must not hold on to their shells.
    if (this.#tensors.length >= this.#compactAt) {
      this.#tensors = this.#tensors.filter((owned) => owned.owner === this);
      this.#compactAt = Math.max(1024, 2 * this.#tensors.length);
    }
    tensor.owner = this;
    this.#tensors.push(tensor);
  }

  /** @internal */
  disown(): void {}

  /** Frees all tensors that were made in the scope but those in `kept`, which move to the scope outside. */
  close(kept: ReadonlySet<Tensor> = new Set()): void {
    const at = open.lastIndexOf(this);
    if (at < 0) return;
    if (at !== open.length - 1)
      throw new TorchError("a scope was closed before the scopes inside it", {
        hint: "close scopes in reverse order; `using` and scope() do",
      });
    open.pop();
    const tensors = this.#tensors;
    this.#tensors = [];
    for (const tensor of tensors) {
      if (tensor.owner !== this) continue;
      if (kept.has(tensor)) own(tensor);
      else tensor.free();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const open: Scope[] = [];

const collector = new FinalizationRegistry<Handle>((handle) => {
  addon.free(handle);
});

/** Owns the tensors outside all scopes: they go when the garbage collector finds them. */
const garbage: Owner & { adopt(tensor: Tensor): void } = {
  adopt(tensor) {
    tensor.owner = garbage;
    collector.register(tensor, tensor.handle, tensor);
    addon.setCollectable(tensor.handle, tensor);
  },
  disown(tensor) {
    collector.unregister(tensor);
  },
};

function own(tensor: Tensor): Tensor {
  (open.at(-1) ?? garbage).adopt(tensor);
  return tensor;
}

/** @internal A tensor for a new handle, owned by the innermost scope. */
export function adopt(handle: Handle): Tensor {
  return own(new Tensor(handle));
}

/**
 * Runs `body` and frees every tensor that was made in it, but those that it returns (alone or inside arrays,
 * objects, Maps and Sets) and those given to `keep`. A thrown error frees them all.
 * @throws {TorchError} where `body` returns a promise: tensors of the awaited part would have no owner
 */
export function scope<T>(body: () => T): T {
  const inner = new Scope();
  try {
    const result = body();
    refuseAsync("scope", result, "await outside, and give scope() the part between two awaits");
    inner.close(tensorsIn(result));
    return result;
  } catch (error) {
    closeThrough(inner);
    throw error;
  }
}

/** @internal What `name`() does ends before what a promise awaits. @throws {TorchError} where `result` is one */
export function refuseAsync(name: string, result: unknown, hint: string): void {
  if (!(result instanceof Promise)) return;
  // The rest of the body meets freed tensors or another mode; nobody awaits it, and its error must end no process.
  result.catch(() => {});
  throw new TorchError(`${name}() takes a function that is not async`, { hint });
}

/** Closes a scope and those left open inside it. */
function closeThrough(outer: Scope): void {
  while (open.includes(outer)) (open.at(-1) as Scope).close();
}

/** Takes tensors out of all scopes: they live until `free`, or until the garbage collector finds them. */
export function keep<T>(value: T): T {
  for (const tensor of tensorsIn(value)) {
    if (tensor.isFreed || tensor.owner === garbage) continue;
    garbage.adopt(tensor);
  }
  return value;
}

/** All tensors reachable through arrays, Maps, Sets and the enumerable properties of objects. */
export function tensorsIn(value: unknown): Set<Tensor> {
  const found = new Set<Tensor>();
  const seen = new Set<object>();
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    if (next instanceof Tensor) found.add(next);
    else if (ArrayBuffer.isView(next)) continue;
    else if (next instanceof Map) for (const entry of next) pending.push(entry[0], entry[1]);
    else if (next instanceof Set) for (const inner of next) pending.push(inner);
    else for (const inner of Object.values(next)) pending.push(inner);
  }
  return found;
}

/**
 * The tensors that JavaScript holds, the bytes of the storages that they brought in, and how many of these belong to no
 * scope, so that they live until they are freed by hand or the garbage collector comes by.
 */
export function memory(): { tensors: number; bytes: number; collectable: number } {
  return addon.memory();
}
