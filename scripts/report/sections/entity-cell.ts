import { type Content, type Html, html, strange } from '../html.ts'
import { pasted } from './next-questions.ts'

/** The name of an entity, and the word for it in a command. */
export const entityCell = (entity: string, note?: Content): Html => {
  const word = pasted(entity)
  return html`<td class="entity"${word !== undefined && html` data-set="${word}"`}>${strange(entity)}${note !== undefined && html` <small>${note}</small>`}</td>`
}
