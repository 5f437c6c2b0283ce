// What can go wrong while set-up looks for libtorch or builds the native code. Every class carries its facts
// as fields and a hint that says what to do.
import { TorchError, type TorchErrorOptions } from "../errors.ts";

/** The base of set-up's errors. */
export class SetupError extends TorchError {}

/** No libtorch was found and none could be fetched; the message lists every way to get one. */
export class LibtorchNotFoundError extends SetupError {
  /** What was tried and why it gave nothing, one sentence each. */
  readonly tried: readonly string[];

  constructor(message: string, tried: readonly string[], options?: TorchErrorOptions) {
    super(message, options);
    this.tried = tried;
  }
}

/** A folder that should be a libtorch and is not, or one that is too old. */
export class LibtorchInvalidError extends SetupError {
  readonly root: string;
  /** Files that a libtorch has and this folder lacks, relative to `root`; empty when only its version is wrong. */
  readonly missing: readonly string[];

  constructor(message: string, root: string, missing: readonly string[], options?: TorchErrorOptions) {
    super(message, options);
    this.root = root;
    this.missing = missing;
  }
}

/** `LIBTORCH_USE_PYTORCH=1` was asked for, and no Python here has torch. */
export class PythonTorchNotFoundError extends SetupError {
  /** The interpreters that were asked. */
  readonly asked: readonly string[];

  constructor(message: string, asked: readonly string[], options?: TorchErrorOptions) {
    super(message, options);
    this.asked = asked;
  }
}

/** No C++ compiler answered. */
export class CompilerNotFoundError extends SetupError {
  /** The commands that were tried. */
  readonly tried: readonly string[];

  constructor(message: string, tried: readonly string[], options?: TorchErrorOptions) {
    super(message, options);
    this.tried = tried;
  }
}

/** The compiler or the linker refused. `message` holds its output and the command. */
export class BuildError extends SetupError {
  /** The source file, or the library that was being linked. */
  readonly file: string;
  readonly command: readonly string[];
  readonly output: string;

  constructor(file: string, command: readonly string[], output: string, options?: TorchErrorOptions) {
    super(
      `could not build ${file}\n\n${output.trim() || "(the compiler printed nothing)"}\n\ncommand: ${command.join(" ")}`,
      options,
    );
    this.file = file;
    this.command = command;
    this.output = output;
  }
}
