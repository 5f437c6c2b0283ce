// How far a build or a download is: a bar that is drawn over itself on a terminal, a few plain lines elsewhere.

export interface Progress {
  /** One more file is done. @param weight as it was given for the file */
  done(weight: number): void;
  end(): void;
}

export interface ProgressOptions {
  readonly log: (line: string) => void;
  readonly terminal?: NodeJS.WriteStream | undefined;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

const WIDTH = 24;

const CLEAR_LINE = "\r\u001b[2K";

function drawBar(terminal: NodeJS.WriteStream, share: number, text: string): void {
  const filled = Math.round(WIDTH * Math.min(1, share));
  const bar = `${"━".repeat(filled)}${"─".repeat(WIDTH - filled)}`;
  terminal.write(`${CLEAR_LINE}${bar} ${text}`.slice(0, Math.max(40, terminal.columns ?? 80)));
}

export interface DownloadProgress {
  /** @param size all that comes, in bytes; undefined where that is not known */
  at(have: number, size: number | undefined): void;
  end(): void;
}

/** Milliseconds between two drawings of a download's bar. */
const REDRAWN = 200;

/** How far the download of `what` is. */
export function downloadProgress(what: string, options: ProgressOptions): DownloadProgress {
  const { log, terminal, now = Date.now } = options;
  const onTerminal = terminal?.isTTY === true;
  let first: { time: number; have: number } | undefined;
  let drawn = 0;
  let told = 0;
  return {
    at(have, size) {
      const time = now();
      first ??= { time, have };
      const share = size === undefined ? 0 : have / size;
      const text = `${what}: ${Math.round(have / 1e6)} MB${size === undefined ? "" : ` of ${Math.round(size / 1e6)}`}`;
      if (onTerminal && time - drawn >= REDRAWN) {
        drawn = time;
        const rate = (have - first.have) / Math.max(1, time - first.time);
        const left = size === undefined || rate === 0 ? "" : `, about ${timeLeft((size - have) / rate)} left`;
        drawBar(terminal, share, text + left);
      } else if (!onTerminal && share < 1 && share >= told + 0.25) {
        told = share;
        log(`  ${text}`);
      }
    },
    end() {
      if (onTerminal) terminal.write(CLEAR_LINE);
    },
  };
}

/**
 * @param weights of the files: about the seconds that each takes, from which the share that is done is told
 * @param jobs that run at the same time
 */
export function progressOf(weights: readonly number[], jobs: number, options: ProgressOptions): Progress {
  const { log, terminal, now = Date.now } = options;
  const files = weights.length;
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const started = now();
  let compiled = 0;
  let share = 0;
  const state = (): string => {
    const text = `compiling ${files} C++ ${files === 1 ? "file" : "files"}: ${compiled} done`;
    return compiled === 0 || share >= 1
      ? text
      : `${text}, about ${timeLeft(((now() - started) / share) * (1 - share))} left`;
  };
  if (terminal?.isTTY !== true) {
    log(`compiling ${files} C++ ${files === 1 ? "file" : "files"}, ${jobs} at a time`);
    let told = 0;
    return {
      done(weight) {
        compiled += 1;
        share += weight / whole;
        // A line a quarter, none for the last.
        if (share < 1 - 1e-9 && share >= told + 0.25) {
          told = share;
          log(`  ${state()}`);
        }
      },
      end() {},
    };
  }
  const draw = (): void => {
    drawBar(terminal, share, state());
  };
  draw();
  const timer = setInterval(draw, 1000);
  timer.unref();
  return {
    done(weight) {
      compiled += 1;
      share += weight / whole;
      draw();
    },
    end() {
      clearInterval(timer);
      terminal.write(CLEAR_LINE);
    },
  };
}

function timeLeft(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
