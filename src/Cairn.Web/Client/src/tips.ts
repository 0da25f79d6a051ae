// Explanations of words: one at a time, beside the word that is pointed at, focused or touched, and never outside the window.

import { h } from './dom';

const gap = 8;

export function showTips(): void {
  const tip = h('div', { id: 'tip', 'aria-hidden': 'true', hidden: true });
  const hide = (): void => { tip.hidden = true; };
  const show = (event: Event): void => {
    const word = event.target instanceof Element ? event.target.closest('[data-tip]') : null;
    if (!word) {
      hide();
      return;
    }

    tip.textContent = word.getAttribute('data-tip');
    tip.hidden = false;
    const at = word.getBoundingClientRect();
    const below = at.bottom + gap;
    tip.style.left = `${Math.max(gap, Math.min(at.left, document.body.clientWidth - tip.offsetWidth - gap))}px`;
    tip.style.top = `${below + tip.offsetHeight > window.innerHeight ? Math.max(gap, at.top - tip.offsetHeight - gap) : below}px`;
  };
  document.body.append(tip);
  for (const name of ['mouseover', 'focusin']) document.addEventListener(name, show);
  for (const name of ['focusout', 'scroll', 'hashchange']) addEventListener(name, hide, { capture: true });
  addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
}
