#!/usr/bin/env node
// The command. It is no compiled file: npm links only what is there when it installs, before anything is compiled.
import "../dist/cli/main.js";
