import { readFileSync, writeFileSync } from 'node:fs'
import { commandOf, scriptNames } from './support/commands.ts'
import { withOptions } from './support/readme.ts'
import { ROOT } from './support/run-script.ts'

/** `npm run docs`: writes the help of every script into the README. */
const path = `${ROOT}README.md`
const before = readFileSync(path, 'utf8')
const after = withOptions(before, await Promise.all(scriptNames.map(commandOf)))
if (after !== before) writeFileSync(path, after)
process.stdout.write(after === before ? 'README.md was up to date\n' : 'README.md rewritten\n')
