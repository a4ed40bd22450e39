# SPDX-License-Identifier: MIT
"""For gdb on the guest: symbols and source lines of kernel modules, at the addresses where they are loaded.

To be sourced after `file vmlinux`. Modules are looked for as *.ko below vmlinux's directory, which is build/linux or
build/linux-debug, and below build/drivers or build/drivers-debug beside it. Of those that the guest
has already loaded the symbols are read at the first stop, of others when they are loaded: before their first
instruction, so that a breakpoint in a module may be set before there is one (`set breakpoint pending on`).

Needs a kernel with debug information. Its structures are those of Linux 6.12: kernel/module/main.c, sysfs.c.
"""

import os

import gdb

# module name -> address of its .text, by which gdb forgets it
loaded = {}


def files():
    """Module name -> path of its .ko; in a name, the kernel has '_' where a file may have '-'."""
    linux = os.path.dirname(os.path.realpath(gdb.current_progspace().filename))
    build, variant = os.path.split(linux)
    drivers = os.path.join(build, variant.replace("linux", "drivers", 1))
    found = {}
    for root in (linux, drivers):
        for directory, _, names in os.walk(root):
            for name in names:
                if name.endswith(".ko"):
                    found[name[:-3].replace("-", "_")] = os.path.join(directory, name)
    return found


def sections(module):
    """Section name -> address, of the sections that are in the guest's memory."""
    attributes = module["sect_attrs"]
    addresses = {}
    for index in range(int(attributes["nsections"])):
        attribute = attributes["attrs"][index]
        name = attribute["battr"]["attr"]["name"].string()
        addresses[name] = int(attribute["address"])
    return addresses


def forget(name):
    text = loaded.pop(name, None)
    if text is None:
        return
    try:
        gdb.execute("remove-symbol-file -a 0x%x" % text, to_string=True)
    except gdb.error:
        pass  # The user has removed it by hand.


def load(module):
    name = module["name"].string()
    forget(name)
    path = files().get(name)
    if path is None:
        gdb.write("module-symbols: no %s.ko was built\n" % name)
        return
    addresses = sections(module)
    text = addresses.pop(".text", None)
    if text is None:
        return
    others = " ".join("-s %s 0x%x" % item for item in sorted(addresses.items()))
    gdb.execute('add-symbol-file "%s" 0x%x %s' % (path, text, others), to_string=True)
    loaded[name] = text
    gdb.write("module-symbols: %s is loaded at 0x%x\n" % (name, text))


def load_those_that_are_there():
    head = gdb.parse_and_eval("&modules")
    module = gdb.lookup_type("struct module")
    offset = [field.bitpos // 8 for field in module.fields() if field.name == "list"][0]
    node = head["next"]
    while node != head:
        address = int(node) - offset
        load(gdb.Value(address).cast(module.pointer()).dereference())
        node = node["next"]


class OnLoad(gdb.Breakpoint):
    """The module is in its place, and nothing of it has run."""

    def __init__(self):
        super().__init__("do_init_module", internal=True)
        self.silent = True

    def stop(self):
        load(gdb.newest_frame().read_var("mod").dereference())
        return False


class OnLeave(gdb.Breakpoint):
    """Its memory is about to be given back: another module may come there."""

    def __init__(self):
        super().__init__("free_module", internal=True)
        self.silent = True

    def stop(self):
        forget(gdb.newest_frame().read_var("mod")["name"].string())
        return False


def at_first_stop(_event):
    gdb.events.stop.disconnect(at_first_stop)
    try:
        load_those_that_are_there()
    except gdb.MemoryError:
        pass  # Before the kernel has its page tables there is no list of modules.


if gdb.lookup_global_symbol("do_init_module") or gdb.lookup_static_symbol("do_init_module"):
    OnLoad()
    OnLeave()
    gdb.events.stop.connect(at_first_stop)
else:
    gdb.write("module-symbols: this kernel has no debug information: npx stopwatch update --variant debug\n")
