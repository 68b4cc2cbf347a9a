import { type Content, type Html, html, strange } from '../../lib/html/html.ts'
import { pasted, yamlText } from './next-questions.ts'

/** The name of an entity, and the word for it in a command. */
export const entityCell = (entity: string, note?: Content): Html => {
  const [word, yaml] = [pasted(entity), yamlText(entity)]
  return html`<td class="entity"${word !== undefined && html` data-set="${word}"`}${yaml !== undefined && html` data-yaml="${yaml}"`}>${strange(entity)}${note !== undefined && html` <small>${note}</small>`}</td>`
}
