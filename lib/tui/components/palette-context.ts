/** The palette of the terminal that all parts are shown on. */
import { createContext } from 'react';
import { type Palette, plainPalette } from '../palette.ts';

export const PaletteContext = createContext<Palette>(plainPalette);
