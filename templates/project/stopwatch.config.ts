// SPDX-License-Identifier: MIT
/** Overrides of the tool's defaults, which `npx stopwatch status --json` shows. */
import { defineConfig } from 'stopwatch';

export default defineConfig({
  devices: ['DEVICE'],
  vm: { devices: [{ device: 'DEVICE' }] },
});
