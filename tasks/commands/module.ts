// SPDX-License-Identifier: MIT
import { EXIT } from '../../lib/errors.js';
import { BUILD_EXITS, type CommandDefinition, variantOption } from './define.js';

export const module: CommandDefinition = {
  name: 'module',
  summary: 'build the driver as a module',
  description: 'Builds the Linux driver as a loadable module (.ko), and says where it is.',
  options: [variantOption()],
  exits: BUILD_EXITS,
  examples: [['module', 'after an edit in driver/']],
  builds: () => true,
  async run(given) {
    const [{ MODULE_TARGETS }, { layoutOf }, { modulePath }, { bringUpToDate, toolchain }] =
      await Promise.all([
        import('../build/graph.js'),
        import('../build/layout.js'),
        import('../build/linux.js'),
        import('../build/toolchain.js'),
      ]);
    const { config, paths } = given.loaded;
    const vm = { ...config.vm, driver: 'module' as const };
    const services = { ...given, loaded: { ...given.loaded, config: { ...config, vm } } };
    const tools = await toolchain(services);
    await bringUpToDate(tools, MODULE_TARGETS);
    return {
      exitCode: EXIT.passed,
      verdict: [`Module       ${modulePath(layoutOf(config, paths), tools.device.description)}`],
      next: 'npx stopwatch run-test-quit --driver module',
    };
  },
};
