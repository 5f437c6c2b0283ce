// How far a build is: a bar that is drawn over itself on a terminal, a few plain lines elsewhere.

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
    const filled = Math.round(WIDTH * Math.min(1, share));
    const bar = `${"━".repeat(filled)}${"─".repeat(WIDTH - filled)}`;
    terminal.write(`\r\u001b[2K${bar} ${state()}`.slice(0, Math.max(40, terminal.columns ?? 80)));
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
      terminal.write("\r\u001b[2K");
    },
  };
}

function timeLeft(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
