// Runs in the page, which is whole without it: filters and sorts the long tables, shows them in parts, and copies commands.

/** Rows that are shown at once, and that are added at a time. */
const PART = 50

/**
 * @typedef {object} Row
 * @property {HTMLTableRowElement} element
 * @property {string[]} cells what is written in them
 * @property {string} text all of it, in lower case
 * @property {string} entity whole, where the page shows only a part
 * @property {string[]} addresses
 * @property {string} account in lower case
 * @property {string} providers those of the addresses, in lower case
 * @property {Set<string>} kinds
 */

/** @typedef {{ entity: string, account: string, network: string, kind: string, text: string }} Filter */

/** @type {Filter} */
const ALL = { entity: '', account: '', network: '', kind: '', text: '' }

/**
 * An element with a class and its content. A text stays text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {string} className
 * @param {...(string | Node)} content
 */
function made(name, className, ...content) {
  const element = document.createElement(name)
  if (className !== '') element.className = className
  element.append(...content)
  return element
}

/** @param {Element} within @param {string} selector */
const textsOf = (within, selector) => [...within.querySelectorAll(selector)].map((one) => one.textContent ?? '')

/** @param {HTMLTableRowElement} element @returns {Row} */
function rowOf(element) {
  const names = [...element.querySelectorAll('.entity')]
  const cells = [...element.cells].map((cell) => cell.textContent?.trim() ?? '')
  return {
    element,
    cells,
    text: cells.join(' ').toLowerCase(),
    entity: names
      .map((name) => `${name.textContent} ${name.getAttribute('data-set') ?? ''}`)
      .join(' ')
      .toLowerCase(),
    addresses: textsOf(element, '.ip'),
    account: textsOf(element, '.account').join(' ').toLowerCase(),
    providers: textsOf(element, '.ip ~ .provider').join(' ').toLowerCase(),
    kinds: new Set([...(element.classList.contains('flagged') ? ['flagged'] : []), ...textsOf(element, '.kind')]),
  }
}

/** @param {string} dotted @returns {number | undefined} */
function ipv4(dotted) {
  const numbers = dotted.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256))
  return numbers.length === 4 && numbers.every((n) => n < 256)
    ? numbers.reduce((sum, n) => sum * 256 + n, 0)
    : undefined
}

/**
 * Tells whether an address lies in a network: `203.0.113.0/24`, an address, or its first numbers.
 * @param {string} network @returns {(address: string) => boolean}
 */
function within(network) {
  const [base = '', length] = network.split('/')
  const start = ipv4(base)
  if (length === undefined || start === undefined) {
    const numbers = `${base.replace(/\.$/, '')}.`
    return (address) => `${address}.`.startsWith(numbers) || (base.includes(':') && address.startsWith(base))
  }
  if (!/^\d+$/.test(length) || Number(length) > 32) return () => false
  const size = 2 ** (32 - Number(length))
  return (address) => Math.floor((ipv4(address) ?? -1) / size) === Math.floor(start / size)
}

/** @param {readonly Row[]} rows @param {Filter} filter */
function filtered(rows, { entity, account, network, kind, text }) {
  const isWithin = within(network)
  // A name or a number of a network, where it is no address.
  const isName = /[^\d./]/.test(network)
  return rows.filter(
    (row) =>
      row.entity.includes(entity) &&
      row.account.includes(account) &&
      row.text.includes(text) &&
      (kind === '' || row.kinds.has(kind)) &&
      (network === '' || (isName && row.providers.includes(network)) || row.addresses.some(isWithin)),
  )
}

/** What a row is sorted by: a number, an address as one, or a text. @param {Row} row @param {number} column */
function keyOf({ element, cells }, column) {
  const text = cells[column] ?? ''
  const [first = ''] = element.cells[column]?.className === 'entity' ? [] : text.split(/[ /]/)
  const number = ipv4(first) ?? Number.parseFloat(first.replaceAll(',', '').replace('−', '-'))
  return Number.isFinite(number) ? number : text
}

/** Numbers come before texts. @param {string | number} a @param {string | number} b */
function compared(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a.localeCompare(b, 'en', { numeric: true })
  return typeof a === 'number' ? -1 : 1
}

/** Makes the heads of a table sort it. @param {HTMLTableElement} table @param {(column: number, isDown: boolean) => void} sort */
function sortable(table, sort) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])]
  for (const [column, head] of heads.entries()) {
    const button = made('button', 'sort', ...(head.textContent === '' ? ['#'] : head.childNodes))
    button.type = 'button'
    head.replaceChildren(button)
    button.addEventListener('click', () => {
      const isDown = head.ariaSort === 'ascending'
      for (const other of heads) other.ariaSort = null
      head.ariaSort = isDown ? 'descending' : 'ascending'
      sort(column, isDown)
    })
  }
}

/** The fields of a filter. @param {readonly Row[]} rows @param {(filter: Filter) => void} use */
function tools(rows, use) {
  const kind = made('select', '', made('option', '', ''))
  /** @type {Map<string, number>} */
  const kinds = new Map()
  for (const row of rows) for (const one of row.kinds) kinds.set(one, (kinds.get(one) ?? 0) + 1)
  for (const [name, count] of kinds) {
    const option = made('option', '', `${name} (${count.toLocaleString('en-US')})`)
    option.value = name
    kind.append(option)
  }
  const [entity, account, network, text] = [made('input', ''), made('input', ''), made('input', ''), made('input', '')]
  network.placeholder = rows.some(({ providers }) => providers !== '') ? '203.0.113.0/24, AS64500' : '203.0.113.0/24'
  const hasAccounts = rows.some((row) => row.account !== '')
  const fields = { entity, ...(hasAccounts && { account }), network, kind, 'any text': text }
  const bar = made('div', 'tools', ...Object.entries(fields).map(([name, field]) => made('label', '', name, field)))
  bar.role = 'search'
  const low = (/** @type {HTMLInputElement} */ { value }) => value.trim().toLowerCase()
  bar.addEventListener('input', () =>
    use({ entity: low(entity), account: low(account), network: low(network), kind: kind.value, text: low(text) }),
  )
  return bar
}

const said = made('p', 'said')
said.role = 'status'

/** Copies a command and shows it, so that it can be copied by hand where a page may not do it. @param {string} command */
async function copy(command) {
  const code = made('code', '', command)
  const isCopied = await navigator.clipboard?.writeText(command).then(
    () => true,
    () => false,
  )
  said.replaceChildren(made('b', '', isCopied ? 'Copied ' : 'Copy this '), code)
  document.body.append(said)
  if (!isCopied) getSelection()?.selectAllChildren(code)
}

/** Days for which an entry allows a pair, if nobody says otherwise. */
const ALLOWED_DAYS = 90

/** The entry of a file of allowances about a pair. @param {string} entry @param {string} entity as YAML has it @param {string} ip */
function entryFor(entry, entity, ip) {
  const until = new Date(Date.now() + ALLOWED_DAYS * 86_400_000).toISOString().slice(0, 10)
  // A function, since a name may hold what a replacement would obey.
  return `${entry
    .replace('"ENTITY"', () => entity)
    .replace('ADDRESS', ip)
    .replace('DAY', until)}\n`
}

/** Puts buttons beside what the commands of the section are about. @param {Element} section @param {HTMLTableRowElement} row */
function addCopies(section, row) {
  if (row.querySelector('.copy') !== null) return
  // The last comes first, so that all stand in their order.
  for (const code of [...section.querySelectorAll('.next code[data-copy]')].reverse()) {
    const [label = '', about = ''] = (code.getAttribute('data-copy') ?? '').split(' ')
    const yaml = row.querySelector('[data-yaml]')?.getAttribute('data-yaml')
    if (about === 'pair' && !yaml) continue
    for (const place of row.querySelectorAll(about === 'entity' ? '[data-set]' : '.ip')) {
      const word = place.getAttribute('data-set') ?? place.textContent ?? ''
      const text = () =>
        about === 'pair' ? entryFor(code.textContent ?? '', yaml ?? '', word) : `${code.textContent}${word}`
      const one = made('button', 'copy', label)
      one.type = 'button'
      one.title = `copies: ${code.parentElement?.firstChild?.textContent ?? ''}`
      one.addEventListener('click', () => void copy(text()))
      const note = place.querySelector('small')
      if (note !== null) note.before(' ', one)
      else if (about === 'entity') place.append(' ', one)
      else place.after(' ', one)
    }
  }
}

/** @param {Element} section @param {HTMLTableElement} table @param {HTMLTableSectionElement} body */
function equip(section, table, body) {
  for (const rest of section.querySelectorAll('details.rest')) {
    body.append(...rest.querySelectorAll('tbody tr'))
    rest.remove()
  }
  const rows = [...body.rows].map(rowOf)
  /** @type {Filter} */
  let filter = ALL
  let most = PART
  const [status, more] = [made('span', ''), made('button', 'more-rows', `${PART} more`)]
  more.type = 'button'
  const show = () => {
    const found = filtered(rows, filter)
    const shown = new Set(found.slice(0, most).map(({ element }) => element))
    for (const { element } of rows) element.hidden = !shown.has(element)
    for (const element of shown) addCopies(section, element)
    status.textContent = `${shown.size.toLocaleString('en-US')} of ${found.length.toLocaleString('en-US')} rows are shown. `
    more.hidden = shown.size === found.length
  }
  more.addEventListener('click', () => {
    most += PART
    show()
  })
  const bar = tools(rows, (wanted) => {
    filter = wanted
    most = PART
    show()
  })
  sortable(table, (column, isDown) => {
    rows.sort((a, b) => (isDown ? -1 : 1) * compared(keyOf(a, column), keyOf(b, column)))
    body.append(...rows.map(({ element }) => element))
    show()
  })
  table.before(bar)
  table.after(made('p', 'shown', status, more))
  show()
}

for (const section of document.querySelectorAll('section.long')) {
  const table = section.querySelector('table')
  const body = table?.tBodies[0]
  if (table && body) equip(section, table, body)
}
