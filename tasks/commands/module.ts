// SPDX-License-Identifier: MIT
import { EXIT } from '../../lib/errors.js';
import { BUILD_EXITS, type CommandDefinition, deviceOption, variantOption, forceOption } from './define.js';

export const module: CommandDefinition<{ readonly device?: string }> = {
  name: 'module',
  summary: 'build the drivers as modules',
  description: 'Builds the Linux driver of each device as a loadable module (.ko), and says where they are.',
  options: [deviceOption('only the driver of this device'), variantOption(), forceOption()],
  exits: BUILD_EXITS,
  examples: [['module', 'after an edit in driver/']],
  builds: () => true,
  async run(given, { device: name }) {
    const [{ driverTask, modulePath }, { layoutOf }, { bringUpToDate, toolchain }, { chooseDevices }] =
      await Promise.all([
        import('../build/linux/drivers.js'),
        import('../build/layout.js'),
        import('../build/toolchain.js'),
        import('../config/choose-device.js'),
      ]);
    const { config, paths } = given.loaded;
    const vm = { ...config.vm, driver: 'module' as const };
    const services = { ...given, loaded: { ...given.loaded, config: { ...config, vm } } };
    const tools = await toolchain(services);
    const devices = chooseDevices(tools.devices, {
      name,
      can: 'have its module built',
      applies: ({ files }) => files.driver !== undefined,
      hint: 'It has no driver of its own: there is no Kbuild in its folder in driver/.',
    });
    await bringUpToDate(tools, devices.map(driverTask));
    const layout = layoutOf(config, paths);
    return {
      exitCode: EXIT.passed,
      verdict:
        devices.length === 0
          ? ['Module       no device has a driver of its own']
          : devices.map((device) => `Module       ${modulePath(layout, device)}`),
      next: 'npx stopwatch run-test-quit --driver module',
    };
  },
};
