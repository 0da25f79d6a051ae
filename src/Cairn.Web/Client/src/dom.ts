// Elements from data. Text is always text: nothing here reads markup, whoever wrote it.

export type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  set(element, attributes);
  append(element, children);
  return element;
}

export function svg(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  set(element, attributes);
  append(element, children);
  return element;
}

export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/**
 * Makes the content look so, and touches only what differs: what is focused, selected, scrolled or pointed at stays. An element that stays keeps the listeners that it was
 * made with: those read what they need from the element or from the state of their page.
 */
export function refill(element: Element, ...children: Child[]): void {
  const next = document.createElement('div');
  append(next, children);
  patch(element, next);
}

function patch(now: Element, next: Element): void {
  const [there, wanted] = [[...now.childNodes], [...next.childNodes]];
  wanted.forEach((child, i) => {
    const old = there[i];
    if (!old) now.append(child);
    else if (old instanceof Element && child instanceof Element && old.tagName === child.tagName) {
      patchAttributes(old, child);
      patch(old, child);
    } else if (old instanceof Text && child instanceof Text) {
      if (old.data !== child.data) old.data = child.data;
    } else old.replaceWith(child);
  });
  for (const old of there.slice(wanted.length)) old.remove();
}

function patchAttributes(now: Element, next: Element): void {
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
}

function append(element: Element, children: Child[]): void {
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : String(child));
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** A word with an explanation that shows on hover, on focus and on a tap. */
export function term(word: Child, explanation: string): HTMLElement {
  return h('span', { class: 'term', tabindex: 0, 'data-tip': explanation, 'aria-description': explanation }, word);
}

export function card(title: Child, ...children: Child[]): HTMLElement {
  return h('section', { class: 'card' }, title ? h('h2', {}, title) : null, ...children);
}

export function tile(label: Child, value: Child, note?: Child): HTMLElement {
  return h('div', { class: 'tile' }, h('div', { class: 'label' }, label), h('div', { class: 'value' }, value), note ? h('div', { class: 'note' }, note) : null);
}

/** What was reported, the newest first. */
export function noteList(notes: { time: string; round?: number; who?: string; what: string }[]): HTMLElement {
  return h('ul', { class: 'notes' }, ...notes.map((note) => h('li', {}, h('time', {}, new Date(note.time).toLocaleTimeString('en-GB')), h('span', {}, h('i', {}, [note.round === undefined ? '' : note.round < 0 ? 'the start' : `round ${note.round + 1}`, note.who ?? ''].filter(Boolean).join(' · ')), note.what))));
}

export function empty(words: string): HTMLElement {
  return h('p', { class: 'empty' }, words);
}

export function loading(): HTMLElement {
  return h('div', { class: 'loading', role: 'status' }, h('span', { class: 'bone wide' }), h('span', { class: 'bone' }), h('span', { class: 'bone' }), h('span', { class: 'unseen' }, 'Loading'));
}

export function digest(value: string | undefined | null, length = 12): HTMLElement {
  return value ? h('code', { class: 'digest', title: value }, value.slice(0, length)) : h('span', { class: 'dim' }, '–');
}

/** A word for those who hear the page. */
export function unseen(word: string): HTMLElement {
  return h('span', { class: 'unseen' }, word);
}

/** A table that scrolls by itself where it is too wide. */
export function table(caption: string, heads: Child[], rows: Child[][], columns: string[] = []): HTMLElement {
  return h(
    'div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table', {},
      h('thead', {}, h('tr', {}, ...heads.map((head, i) => (head instanceof HTMLTableCellElement ? head : h('th', { scope: 'col', class: columns[i] }, head))))),
      h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((cell, i) => h('td', { class: columns[i] }, cell))))),
    ),
  );
}
