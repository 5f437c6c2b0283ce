#!/usr/bin/env node
// The command. It is no compiled file: npm links only what is there when it installs, before anything is compiled.
import * as module from "node:module";

// From Node 22 on, code that was compiled once is not compiled again by the next command.
module.enableCompileCache?.();
await import("../dist/cli/main.js");
