import { writeFileSync } from 'node:fs'
import { commandOf, scriptNames } from './support/commands.ts'
import { optionsPage } from './support/options-page.ts'
import { ROOT } from './support/run-script.ts'

/** `npm run docs`: writes the help of every command into docs/options.md. */
writeFileSync(`${ROOT}docs/options.md`, optionsPage(await Promise.all(scriptNames.map(commandOf))))
