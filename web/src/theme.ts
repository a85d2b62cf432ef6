/** Light or dark: as the system has it, unless chosen here. */
import { signal } from '@preact/signals'

export type Theme = 'auto' | 'light' | 'dark'
const KEPT = 'leasehold-theme'
const kept = localStorage.getItem(KEPT)

export const theme = signal<Theme>(kept === 'light' || kept === 'dark' ? kept : 'auto')
theme.subscribe((chosen) => {
  if (chosen === 'auto') {
    delete document.documentElement.dataset.theme
    localStorage.removeItem(KEPT)
  } else {
    document.documentElement.dataset.theme = chosen
    localStorage.setItem(KEPT, chosen)
  }
})
export const isDark = () =>
  theme.value === 'dark' || (theme.value === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
