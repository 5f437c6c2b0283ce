#!/usr/bin/env node
// The command. It is no compiled file: npm links only what is there when it installs, before anything is compiled.
import { main } from "../dist/setup/main.js";

process.exitCode = await main(process.argv.slice(2));
