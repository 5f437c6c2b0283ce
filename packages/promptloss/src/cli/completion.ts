// `promptloss completion`: a script that completes commands and options in bash, zsh or fish.
import { Argument, Command } from "commander";
import { COMMANDS } from "./commands.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

export function completionCommand(command: Command): Command {
  return command
    .addArgument(shellArgument())
    .addHelpText("after", HELP)
    .action(async (shell: Shell) => {
      process.stdout.write(SCRIPTS[shell](await wordsOf()));
    });
}

function shellArgument(): Argument {
  return new Argument("<shell>", "the shell to write it for").choices(SHELLS);
}

const HELP = `
bash:  source <(promptloss completion bash)
zsh:   source <(promptloss completion zsh)
fish:  promptloss completion fish | source`;

/** What may follow a command: its commands and options. */
interface Words {
  /** "", "train", "study plan". */
  readonly path: string;
  readonly words: readonly string[];
}

async function wordsOf(): Promise<Words[]> {
  const top: Words = { path: "", words: Object.keys(COMMANDS) };
  const rest: Words[] = [];
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const command = (await load())(new Command(name));
    rest.push(ofCommand(command, name));
    for (const inner of command.commands) rest.push(ofCommand(inner, `${name} ${inner.name()}`));
  }
  return [top, ...rest];
}

function ofCommand(command: Command, path: string): Words {
  const options = command.options.flatMap(({ long }) => (long == null ? [] : [long]));
  return { path, words: [...command.commands.map((each) => each.name()), ...options, "--help"] };
}

const SCRIPTS: Readonly<Record<Shell, (all: readonly Words[]) => string>> = {
  bash: bashScript,
  // zsh runs bash's completions, by its own, which a plain start-up file does not load.
  zsh: (all) =>
    `autoload -Uz compinit bashcompinit\n(( $+functions[compdef] )) || compinit -i\nbashcompinit\n${bashScript(all)}`,
  fish: fishScript,
};

function bashScript(all: readonly Words[]): string {
  const cases = all.map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`);
  return `_promptloss() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words=""
  [ "$COMP_CWORD" -le 1 ] && command=""
  [ "$command" = study ] && [ "$COMP_CWORD" -gt 2 ] && command="study \${COMP_WORDS[2]}"
  case "$command" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _promptloss promptloss
`;
}

function fishScript(all: readonly Words[]): string {
  const lines = all.flatMap(({ path, words }) => {
    const names = path.split(" ").filter((name) => name !== "");
    // Behind a command's own command its others are of no use.
    const inner = all.flatMap((other) =>
      other.path.startsWith(`${path} `) ? other.path.split(" ")[1]! : [],
    );
    const condition =
      names.length === 0
        ? "__fish_use_subcommand"
        : [
            ...names.map((name) => `__fish_seen_subcommand_from ${name}`),
            ...(inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.join(" ")}`]),
          ].join("; and ");
    return words.map((word) =>
      word.startsWith("--")
        ? `complete -c promptloss -n '${condition}' -l ${word.slice(2)}`
        : `complete -c promptloss -n '${condition}' -a ${word}`,
    );
  });
  return `${lines.join("\n")}\n`;
}
