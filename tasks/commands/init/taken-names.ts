// SPDX-License-Identifier: MIT
/**
 * Names that the two source trees use already, in lower case: QEMU 10.0's
 * Kconfig symbols and the files of its hw/misc; of Linux 6.12 the symbols of one
 * word, the files of drivers/misc, and the parameters of the kernel's own
 * command line. A device of such a name would not build, or would tell the
 * kernel something else.
 */
export const TAKEN_NAMES: ReadonlySet<string> = new Set(
  `
a0 a1 a15mpcore a2065 a9_gtimer a9mpcore a9scu aarch64 abp060mg ac97 accept_memory accessibility acenic
acerhdf acpi acpi_apei acpi_apic_instance acpi_backlight acpi_cpu_hotplug acpi_cxl acpi_enforce_resources
acpi_erst acpi_force_32bit_fadt_addr acpi_force_table_verification acpi_hmat acpi_hw_reduced acpi_ich9
acpi_irq_balance acpi_irq_isa acpi_irq_nobalance acpi_irq_pci acpi_mask_gpe acpi_memory_hotplug
acpi_no_auto_serialize acpi_no_memhotplug acpi_no_static_ssdt acpi_no_watchdog acpi_nvdimm acpi_os_name
acpi_osi acpi_pci acpi_pci_bridge acpi_pcihp acpi_piix4 acpi_pm_good acpi_rev_override acpi_rsdp acpi_smbus
acpi_viot acpi_vmclock acpi_vmgenid acpi_x86 acpica_no_return_repair ad2s1200 ad2s1210 ad2s90 ad3552r ad4000
ad4130 ad4695 ad5064 ad5110 ad525x_dpot ad525x_dpot_i2c ad525x_dpot_spi ad5272 ad5360 ad5380 ad5421 ad5446
ad5449 ad5504 ad5592r ad5593r ad5686 ad5755 ad5758 ad5761 ad5764 ad5766 ad5770r ad5791 ad5933 ad7091r
ad7091r5 ad7091r8 ad7124 ad7150 ad7173 ad7192 ad7266 ad7280 ad7291 ad7292 ad7293 ad7298 ad7303 ad7380
ad74115 ad74413r ad7476 ad7606 ad7746 ad7766 ad7780 ad7791 ad7793 ad7816 ad7887 ad7923 ad7944 ad7949 ad799x
ad8366 ad8801 ad9467 ad9523 ad9739a ad9832 ad9834 ada4250 adb adf4350 adf4371 adf4377 adi adin1110 adis16080
adis16130 adis16136 adis16201 adis16203 adis16209 adis16240 adis16260 adis16400 adis16460 adis16475
adis16480 adlib adm1266 adm1272 adm8211 admfm2000 admv1013 admv1014 admv4420 admv8818 adrf6780 adt7316
adux1020 adxl313 adxl345 adxl355 adxl367 adxl372 adxl380 adxrs290 adxrs450 aeabi af8133j afe4403 afe4404
afiucv ag71xx agp aha152x ahci ahci_ich9 ahci_sysbus aic79xx aic7xxx aio ak09911 ak8974 ak8975 al3010
al3320a alix alloc_snapshot allow_mismatched_32bit_el0 allwinner_a10 allwinner_a10_ccm allwinner_a10_dramc
allwinner_a10_pic allwinner_a10_pit allwinner_a10_spi allwinner_cpucfg allwinner_emac allwinner_h3
allwinner_h3_ccu allwinner_h3_dramc allwinner_h3_sysctrl allwinner_i2c allwinner_r40 allwinner_r40_ccu
allwinner_r40_dramc allwinner_sid allwinner_sramc allwinner_sun8i_emac allwinner_wdt alpha altera_stapl alx
am2315 amd_iommu amd_iommu_dump amd_iommu_intr amd_prefcore amd_pstate amdtee amigaone amt an5206 anslcd
aoe_iflist apds9300 apds9306 apds9802als apds990x apds9960 apic apm apne apparmor applesmc applicom aqtion
ar5523 arcnet arcrimi arduino ariadne arm arm11mpcore arm11scu arm64 arm_compatible_semihosting arm_gic
arm_gic_kvm arm_gicv3 arm_integrator_debug arm_l2x0 arm_mptimer arm_sbcon_i2c arm_smmuv3 arm_sysctl
arm_timer arm_v7m arm_virt armsse armsse_cpu_pwrctrl armsse_cpuid armsse_mhu armv7m_ras articia artist
as3935 as73211 asc asn1 aspeed_hace aspeed_i3c aspeed_lpc aspeed_peci aspeed_sbc aspeed_scu aspeed_sdmc
aspeed_sli aspeed_soc aspeed_xdma astro at24c ata atags atalk atarilance atascsi ath10k ath11k ath12k ath5k
ath6kl ath9k ati_vga atl1 atl1c atl1e atl2 atm atmel_ssc atp audit audit_backlog_limit auditsyscall aux
auxbus auxdisplay avr avr_atmega_mcu avr_power avr_timer16 avr_usart aw96103 ax25 ax88796 axp2xx axp2xx_pmu
b43 b43legacy b44 b53 b_l475e_iot01a bareudp baycom_epp baycom_par baycom_ser_fdx baycom_ser_hdx bcache bch
bcm2835_cprman bcm2835_i2c bcm2835_mbox bcm2835_mphi bcm2835_powermgt bcm2835_property bcm2835_rng
bcm2835_spi bcm2835_thermal bcm_vk bcma bcmasp bcmgenet bdev_allow_write_mounted be2iscsi be2net
bert_disable bgmac bh1745 bh1750 bh1770glc bh1780 bitbang_i2c bitreverse blkdevparts block bma180 bma220
bma400 bmac bme680 bmg160 bmi160 bmi323 bmp280 bna bnx2 bnx2x bnxt bochs_display bonding boot_delay
bootconfig bounce bpf bpqether bql brcmdbg brcmfmac brcmsmac brcmutil bridge broken bt btree btt bug c1 c101
c2 c2port ca_keys cachefiles cadence cadence_sdhci caif can can_bus can_ctucanfd can_ctucanfd_pci can_pci
can_sja1000 cardbus cardreader carl9170 carrier_timeout cassini cb710 ccs811 ccw_timeout_log ccwgroup cdrom
cfag12864b cfg80211 cg3 cgroup cgroup_debug cgroup_disable cgroup_favordynmods cgroup_no_v1 cgroups charlcd
checkreqprot chrp_nvram cifs cifsroot clk_ignore_unused clock clocksource closures cm32181 cm3232 cm3323
cm3605 cm36651 cma cma_pernuma cmdline cmsdk_apb_dualtimer cmsdk_apb_timer cmsdk_apb_uart cmsdk_apb_watchdog
cnic coherent_pool coldfire collie com20020 com90io com90xx comedi compaction compat con3215_drop connector
console console_msg_format constructors cordic coredump coredump_filter coresight counter cpu_cluster cpuhp
cpusets cramfs crashkernel crc16 crc32 crc4 crc64 crc7 crc8 crypto cs4231 cs4231a cs5535_mfgpt cs89x0
cs89x0_dma cs89x0_media csdlock_debug ctcm cubieboard cuda cuse cw1200 cxl cxl_mem_device cxlflash d1 d2
da280 da311 damon dasd dax dca dcb dcdbas dcssblk ddc ddr de2104x debug debug_boot_weak_hash
debug_guardpage_minorder debug_locks_verbose debug_objects debug_pagealloc debugexit debugfs dec_pci
declance default_hugepagesz deferred_probe_timeout defxx defza delayacct device_tree devmem devport devtmpfs
dhash_entries dhcpclass dht11 digic dimlib dimm dino disable_octeon_edac display7seg diva_gsp djmemc dl2k
dlhl60d dlm dm163 dm9000 dm9051 dm9102 dma_debug dma_debug_driver dma_debug_entries dmadevices dmard06
dmard09 dmard10 dmasound dmatest dmi dmiid dnet dnotify dp264 dp8393x dpcd dpll dps310 dql
driver_async_probe drm ds1225y ds1338 ds1620 ds1682 ds1803 ds4424 dtc dtlk dtpm dummy dummy_irq
dump_apple_properties dw_xdata_pcie dyndbg e1 e100 e1000 e1000_pci e1000e e1000e_pci_express e2 e500
e500plat early_ioremap_debug early_page_ext earlycon earlyprintk eccmemctl echo edac edd edid edu
eepro100_pci eeprom efi efivar_ssdt ehea eif eisa eisa_irq_edge ekgdboc el3 elanfreq elevator elfcore
elfcorehdr emc141x emcraft_sf2 empty_slot enc28j60 enclosure encx24j600 enforcing enic ens160 ens210 envctrl
epic100 epoll equalizer erst_disable es1370 escc esp esp_pci et131x ether ethernet ethoc etsec eventfd evm
execmem expert exportfs extcon exynos4 exynos4210_clk exynos4210_pmu exynos4210_rng f1 f2 fail_futex
fail_io_timeout fail_make_request fail_page_alloc fail_usercopy failover failslab fanotify farsync
fas216_logging fastrpc fb fb_tunnels fbcon fbnic fcoe fdc fdc37m81x fdc_isa fdc_sysbus fddi fdma fdt fdt_ppc
fealnx fec fhandle fineibt fips fiq firewire fitloader flatmem floppy fm10k fonts foo forcedeth fpga fprobe
framebuffer framer freezer fscache fsdev_9p fsi fsi_apb2opb_aspeed fsl_imx25 fsl_imx31 fsl_imx6 fsl_imx6ul
fsl_imx7 fsl_imx8mp fsl_imx8mp_analog fsl_imx8mp_ccm fsl_imx8mp_evk fsnotify ftgmac100 ftl ftmac100 ftrace
ftrace_boot_snapshot ftrace_dump_on_oops ftrace_filter ftrace_graph_filter ftrace_graph_max_depth
ftrace_graph_notrace ftrace_notrace fuloong fusion futex fuzz fw_cfg_dma fw_cfg_mips fw_cfg_ppc fw_devlink
fxas21002c fxls8962af fxos8700 g364fb gameport garp gcov_persist gdrom gehc_achc generic_loader geneve
genwqe geos gianfar glob gnss gnutls goldfish goldfish_pic goldfish_rtc goldfish_tty gp2ap002 gp2ap020a00f
gpio_key gpio_mpc8xxx gpio_pwr gpiolib gpt grackle_pci greth greybus grlib grlib_ahb_apb_pnp gsc gt64120 gtp
guest_loader gus gve hamachi hamradio happymeal hardened_usercopy hashdist have_rust hcheck_dump_tasks
hcheck_margin hcheck_reboot hcheck_tick hd44780 hda hdc100x hdc2010 hdc3020 hdlc hdmi heathrow_pic
hest_disable hi6421v600_irq hi8435 hibernate hibernation hid hidraw highbank highmem highmem4g highmem64g
highpte highres hinic hippi hisi_hikey_usb hlt hmc425 hmc6352 hns hns3 hostname hp03 hp206c hpet hpet_c
hpet_mmap hpilo hplance hppa hppa_b160l hppb hsc030pa hsi hsr ht16k33 hte htif hts221 htu21 hugepages
hugepagesz hugetlb_cma hugetlbfs hv_balloon hv_balloon_possible hv_balloon_supported hv_nopvspin hvc_iucv
hvcs hvf hwbm hwmon hwspinlock hx711 hx9023s hydra hyperv hyperv_testdev hz i2c i2c_devices i2c_echo
i2c_touchscreen_props i386 i3c i40e i40evf i440fx i82092 i82365 i82374 i82378 i8254 i8257 i8259
i82596_common i82801b11 i8k ia32_emulation iaqcore iavf ibex ibmasm ibmasr ibmveth ibmvmc ibmvnic ice
icp10100 ics932s401 ide_bus ide_cf ide_cmd646 ide_core ide_dev ide_isa ide_macio ide_mmio ide_pci ide_piix
ide_sii3112 ide_via idpf ieee802154 if ifb ifcvf igb igb_pci_express igbvf igc ignore_loglevel ihash_entries
iio ikconfig ikheaders ima ima_appraise_tcb ima_canonical_fmt ima_hash ima_policy ima_tcb ima_template
ima_template_fmt imx imx25_ccm imx31_ccm imx6_ccm imx6_src imx6ul_ccm imx7_ccm imx7_gpr imx7_snvs imx7_src
imx8mp_analog imx8mp_ccm imx_ccm imx_fec imx_i2c imx_rngc imx_usbphy indydog inet infiniband inftl init
init_on_alloc init_on_free initcall_blacklist initramfs_async initramfs_options initrd initrdmem input
int_pln_enable integrator integrator_debug integrity integrity_audit intel_iommu intel_pstate interconnect
intremap ioapic ioh3420 iomem iommu iommufd ionic iosapic iosb iosm iotkit_secctl iotkit_sysctl
iotkit_sysinfo ip ip_octal_232 ipack ipcmni_extend ipmi ipmi_extern ipmi_local ipmi_ssif ips ipv6 ipvlan
ipvtap ipw2100 ipw2200 ipwireless irqaffinity irqchip irqfixup irqpoll irqstacks irsd200 isa isa_bus
isa_debug isa_ipmi_bt isa_ipmi_kcs isa_superio isa_testdev isapc isapnp isdn isl29003 isl29020 isl29125
isl29501 isl76682 isl_pmbus_vr ism isolcpus itg3200 iucv ivrs_acpihid ivrs_hpet ivrs_ioapic ivshmem
ivshmem_device ivshmem_flat ivshmem_flat_device ivshmem_pci iwl3945 iwl4965 iwldvm iwlegacy iwlmei iwlmvm
iwlwifi iwmmxt ixgbe ixgbevf jazz jazz_led jbd2 jme joliet jsa1212 kallsyms kasan kasan_multi_shot kcmp
kconfig kcov kcsan keba keep_bootcon keepinitrd kernelcore kernfs kexec keys kfence kgdb kgdbcon kgdbdbgp
kgdboc kgdboc_earlycon kgdbts kgdbwait kmemleak kmsan kmx61 korina kprobe_event kprobes kpti kraitcc
kretprobes ks0108 ks8842 ks8851 ksm kunit kvm kxcjk1013 kxsd9 l2tp lan743x lan865x lan9118 lan9118_phy lance
lapb lapbether lasi lasi_82596 lasips2 latencytop lattice_ecp3_config lcd2s lcs ldmvsw led leon3 lib80211
libcbor libcrc32c libertas libeth libfc libfcoe libfdt libie libipw libnvdimm libwx linedisp linux liquidio
lirc lis3lv02d litex livepatch lkdtm llc llc2 lmk04832 lmp91000 load_ramdisk localversion lockd lockdep
lockdown log_buf_len loglevel logo loongarch64 loongarch_extioi loongarch_ipi loongarch_pch_msi
loongarch_pch_pic loongarch_virt loongson3v loongson_ipi loongson_ipi_common loongson_liointc lp lpc_ich9
lpj ls7a_rtc lsi_scsi_pci lsm lsm303dlhc_mag lsmsi ltc1660 ltc2309 ltc2471 ltc2485 ltc2496 ltc2497 ltc2632
ltc2664 ltc2688 ltc2983 lto ltr390 ltr501 ltrf216a lv0104cs lwtunnel m41t80 m486 m486sx m48t59 m586 m586mmx
m586tsc m62332 m686 m68k m68k_irqc m68k_virt mac5380 mac80211 mac802154 mac8390 mac89x0 mac_dbdma
mac_newworld mac_nvram mac_oldworld mac_pmu mac_pvg mac_pvg_mmio mac_pvg_pci mac_via macb mace macfb macio
macio_gpio macmace macsec macsonic macvlan macvtap mag3110 mailbox makefile malta marvell_88w8618 matom
max1027 max11100 max1118 max11205 max11410 max1241 max1363 max30100 max30102 max30208 max31785 max31827
max31856 max31865 max34408 max34451 max44000 max44009 max517 max5432 max5481 max5487 max5522 max5821 max6959
max9611 max_loop maxcpus maxsmp mb1232 mc146818rtc mc3230 mcb mcf5208 mcf8390 mchp_pci1xxxx mchp_pfsoc_dmc
mchp_pfsoc_ioscb mchp_pfsoc_mmuart mchp_pfsoc_sysreg mcore2 mcp mcp320x mcp3422 mcp3564 mcp3911 mcp4018
mcp41010 mcp4131 mcp4531 mcp4725 mcp4728 mcp4821 mcp4922 mcp9600 mcpm mcrusoe mctp mcyrixiii md mdacon mdio
mefficeon megasas_scsi_pci mei melan mem mem_device mem_sleep_default membarrier memblock memcg
memhp_default_state memory memregion memstick memtest menelaus meson mgeodegx1 mhash_entries microbit
microblaze microblaze_v microchip_pfsoc microcode microvm migration mii mips mips64 mips_boston mips_cmgcr
mips_cpc mips_cps mips_itu mipsnet mipssim misdn mitigations mixcomwd mk6 mk7 mk8 mkiss mlx90614 mlx90632
mlx90635 mlxfw mma7455 mma7660 mma8452 mma9551 mma9553 mmc mmc35240 mminit_loglevel mmiotrace mmiowb mmu
modules modversions monreader monwriter mos6522 most movable_node movablecore moxtet mpc8544ds mpc_i2c
mpentium4 mpentiumii mpentiumiii mpentiumm mphash_entries mpilib mpl115 mpl3115 mpls mprls0025pa mps2
mps2_fpgaio mps2_scc mps3r mpsc mptcp mptsas_scsi_pci mpu3050 mrp mrvl_cn10k_dpi ms5611 ms5637 msa311
mse102x msf2 msf2_sysreg msi_nonbroken mt7601u mt7603e mt7615e mt7663s mt7663u mt76x0e mt76x0u mt76x2e
mt76x2u mt7915e mt7921e mt7921s mt7921u mt7925e mt7925u mt7996e mtd mtdparts mtrr multiplexer multiprocess
multiprocess_allowed multiuser musca musicpal mv64361 mviac7 mvmdio mvneta mvpp2 mwave mwifiex mwinchip3d
mwinchipc6 mwl8k mxc4005 mxc6255 myri10ge n2 n64cart namespaces nand natsemi nau7802 ncr53c8xx ne2000
ne2000_common ne2000_isa ne2000_pci neon net net5501 netconsole netdev netdevices netdevsim netduino2
netduinoplus2 netfilter netiucv netkit netlabel netpoll netrom nextcube nfc nfp nfsaddrs nfsd nfsroot
nfsrootdebug nftl ngbe niagara nitro_enclave niu nlattr nlmon nls nmc93xx_eeprom nmi_watchdog no
no_console_suspend no_debug_objects no_file_caps no_hash_pointers noa1305 noautogroup nodebugmon noefi
nohibernate nohighmem nohlt nohugeiomap nohugevmalloc nohz nohz_full noinitrd nointremap noirqdebug noisapnp
nokaslr nokgdbroundup nomodeset nopvspin norandmaps noresume nosmp nosmt nosoftlockup nospectre_bhb
nospectre_v2 nowatchdog nozomi npcm7xx npcm7xx_mft npcm7xx_pwm npcm7xx_rng npcm8xx npcm_clk npcm_gcr nr_cpus
nrf51_rng nrf51_soc ns83820 nsm ntb ntp_tick_adj ntsync nubus numa numa_balancing numa_cma nvdimm nvme_pci
nvmem nvmm nvram nwbutton nwflash objagg objtool ocxl of ohci1394_dma olimex_stm32_h405 olpc omap omap_clk
ompic oops open_dice opencores_eth opengl openpic openrisc opentitan openvswitch opt3001 opt4001 optee
option optprobes or1k_sim or1k_virt or_irq p2sb pa12203001 pac1921 pac1934 packet packing padata page_owner
page_poison page_table_check pam panel panic_on_taint parallel paravirt parman parport parport_init_mode pc
pc104 pc300too pc87312 pc_acpi pc_pci pc_testdev pca954x pca9552 pca9554 pcc pccard pcf8574 pch_phub pci
pci200syn pci_bonito pci_bridge pci_devices pci_endpoint_test pci_express pci_express_designware
pci_express_fsl_imx8m_phy pci_express_generic_bridge pci_express_q35 pci_express_xilinx pci_i440fx
pci_ipmi_bt pci_ipmi_kcs pci_powernv pci_sabre pci_slot_ignore pci_testdev pcie_aspm pcie_devices
pcie_pci_bridge pcie_pme pcie_port pcie_port_pm pcie_ports pcieaer pcieaspm pcieportbus pcipcwatchdog pckbd
pcmcia pcnet32 pcnet_common pcnet_pci pcspk pcwatchdog pd6729 pd_ignore_unused peci pegasos2 percpu_alloc
petalogix_ml605 petalogix_s3adsp1800 pfcp pflash_cfi01 pflash_cfi02 phantom phonet phylib phylink piix
pinconf pinctrl ping pinmux pixman pkey pl011 pl011_c pl022 pl031 pl041 pl050 pl061 pl080 pl110 pl181 pl190
pl310 pl330 platform_bus pldmfw plfxlc plip pm pm_debug_messages pmbus pms7003 pmtmr pnp pnp_reserve_dma
pnp_reserve_io pnp_reserve_irq pnp_reserve_mem pnpacpi pnpbios pnv_spi polynomial powercap powernv ppc
ppc440 ppc440_pcix ppc4xx ppc4xx_pci ppc64 ppc_uic ppce500_pci ppdev ppp pppoatm pppoe pppol2tp pps pptp
preempt preemption prep prestera print printer printk proc_mem profile profiling prompt_ramdisk ps2 psample
pseries psi pstore ptimer pvh pvpanic pvpanic_common pvpanic_isa pvpanic_mmio pvpanic_pci pwm pxa2xx_timer
pxb q35 q800 qca7000 qcom_coincell qed qede qedf qedi qeth qla1280 qla3xxx qlcnic qrtr qtnfmac quiet quota
quotactl qxl r2d r6040 r8169 raid ramdisk_size ramdisk_start random randomize_kstack_offset randstruct
rapidio ras raspi rational ravb raven_pci rc4030 rcu_nocb_poll rcu_nocbs rdinit rds realview reboot register
regmap regulator regulator_ignore_unused relax_domain_level relay relocatable relr remote_pcihost remoteproc
renesas_cmt renesas_sci renesas_tmr resched_latency_warn_ms reserve reserve_mem reset_devices resume
resume_offset resumedelay resumewait retain_initrd rethook rfd77402 rfkill rionet riscv32 riscv64
riscv_aclint riscv_aplic riscv_imsic riscv_iommu riscv_numa riscv_virt rmnet ro roadrunner rockchip rocker
rodata root rootdelay rootflags rootfstype rootwait rose rpmb rpmb_core rpmsg rpr0521 rps rs5c372_rtc
rs6000_mc rseq rt2400pci rt2500pci rt2500usb rt2800pci rt2800soc rt2800usb rt2x00 rt61pci rt73usb rtase
rtl8139_pci rtl8180 rtl8187 rtl8188ee rtl8192ce rtl8192cu rtl8192de rtl8192du rtl8192e rtl8192ee rtl8192se
rtl8723ae rtl8723be rtl8723bs rtl8821ae rtl8xxxu rtlbtcoexist rtllib rtlwifi rts5208 rtsn rtw88 rtw89 rust
rv rw rx rx62n_mcu rx_gdbsim rx_icu rxkad rxperf s2io s390_ccw_virtio s390_flic s390_flic_kvm s390_iommu
s390_iommu_aperture s390x s390x_legacy_cpus sa1111 sabrelite sam460ex samples sb16 sbitmap sbsa_ec sbsa_ref
sbus sc92031 sca3000 sca3300 scc scd4x sched_thermal_decay_shift sched_verbose schedstats sclp_con_drop
sclp_con_pages sclpconsole scsi scx200 sd sdhci sdhci_pci sdp500 seccomp secretmem security securityfs
select selinux semihosting serial serial_isa serial_mm serial_pci serial_pci_multi serio sev sfc sfp sgi_gru
sgi_xp sgiseeq sgx sh4 sh7750 sh_intc sh_pci sh_sci sh_timer shakti_c shakti_uart shmem si1133 si1145 si7005
si7020 sifive_e sifive_e_aon sifive_e_prci sifive_gpio sifive_pdma sifive_plic sifive_pwm sifive_spi
sifive_test sifive_u sifive_u_otp sifive_u_prci sifive_uart signalfd signature sii9022 sim710 simba siox
sis190 sis900 skew_tick skfp skge sky2 slab_debug slab_max_order slab_merge slab_min_objects slab_min_order
slab_nomerge slavio slavio_misc slhc slicoss slimbus slip slram slub slub_debug slub_max_order slub_merge
slub_min_objects slub_min_order slub_nomerge sm501 smbfs smbios smbios_legacy smbus smbus_eeprom smc
smc37c669 smc9194 smc91c111 smc91x smp smpro_errmon smpro_misc smsc911x smsc9420 smsgiucv snd
softlockup_panic sonypi sound soundwire spapr_rng spapr_vscsi sparc sparc64 sparse_mem sparsemem spdm_socket
speakup spi spice spike split_irq spmi sps30 squashfs sram sram_exec srf04 srf08 ssb ssbd ssd0303 ssd0323
sse_counter sse_timer ssfdc ssi ssi_m25p80 ssi_sd st sta2x11 stack_depot_disable stack_guard_gap stackdepot
stackprotector stacktrace staging standalone ste10xp stellaris stellaris_enet stellaris_gamepad
stellaris_gptm sti sti_font stifb stk3310 stk8312 stk8ba50 stm stm32_rcc stm32f100_soc stm32f205_soc
stm32f2xx_adc stm32f2xx_spi stm32f2xx_syscfg stm32f2xx_timer stm32f2xx_usart stm32f405_soc stm32f4xx_exti
stm32f4xx_syscfg stm32l4x5_exti stm32l4x5_gpio stm32l4x5_rcc stm32l4x5_soc stm32l4x5_syscfg stm32l4x5_usart
stm32vldiscovery stmmaceth stnic stp stp2000 strongarm stx104 sun3lance sun4m sun4u sun4v_rtc sunbmac
sundance sungem sunhme sunlance sunqe sunrpc sunvdc sunvnet superio suspend swap swapaccount swim swiotlb
swphy sx1 sx9310 sx9324 sx9360 sx9500 sxgbeeth syndbg sysctl sysfb sysfs sysrq_always_enabled systemport
sysvipc t5403 tap target_big_endian taskstats tc27x_soc tc35815 tcg tcic tcpmhash_entries tcs3414 tcs3472
tcx tee tehuti telclock terminal3270 test_devices test_suspend textsearch thash_entries thermal thp_anon
thread_backlog_napi threadirqs ti_st tifm_7xx1 tifm_core tigon3 timerfd tipc tlan tls tmp006 tmp007 tmp105
tmp117 tmp421 tmpfs tn3215 tn3270 toshiba tp_printk tp_printk_stop_on_boot tpci200 tpl0102 tpm tpm_backend
tpm_crb tpm_emulator tpm_passthrough tpm_spapr tpm_tis tpm_tis_i2c tpm_tis_isa tpm_tis_sysbus tps6105x
tps65010 tps6507x tps6594_esm tps6594_pfsm trace trace_buf_size trace_clock trace_event trace_events
trace_instance trace_options trace_trigger traceoff_on_warning tracepoints tracing tracing_thresh
transparent_hugepage triboard tricore tricore_testboard ts5500 tsl2550 tsl2583 tsl2591 tsl2772 tsl4531 tsnep
tsys01 tsys02d tty tulip tun txgbe typec typhoon tz_mpc tz_msc tz_ppc uacce ubsan ucc udmabuf uefi_vars
ufs_pci uhash_entries uhid uid16 uio uli526x ultra unicode unimp unin_pci unix uprobes us5182d usb usb4
usb_audio usb_canokey usb_chipidea usb_dwc2 usb_dwc3 usb_ehci usb_ehci_pci usb_ehci_sysbus usb_hid usb_hub
usb_network usb_ohci usb_ohci_pci usb_ohci_sysbus usb_serial usb_smartcard usb_storage_bot
usb_storage_classic usb_storage_core usb_storage_mtp usb_storage_uas usb_tablet_wacom usb_u2f usb_uhci
usb_xhci usb_xhci_nec usb_xhci_pci usb_xhci_sysbus usbpcwatchdog uselib userfaultfd userio vboxguest vcap
vcc vcnl3020 vcnl4000 vcnl4035 vcpu_stall_detector vdpa vdso vdso32 veml6030 veml6040 veml6070 veml6075
versatile versatile_pci veth vexpress vfio vfio_amd_xgbe vfio_ap vfio_ccw vfio_igd vfio_pci vfio_platform
vfio_user_server vfio_user_server_allowed vfio_xgmac vfp vfpv3 vga vga_cirrus vga_isa vga_mmio vga_pci
vgastate vhost vhost_kernel vhost_scsi vhost_scsi_common vhost_user vhost_user_blk vhost_user_fs
vhost_user_gpio vhost_user_gpu vhost_user_i2c vhost_user_input vhost_user_rng vhost_user_scmi
vhost_user_scsi vhost_user_snd vhost_user_vga vhost_user_vsock vhost_vdpa vhost_vdpa_dev vhost_vsock
vhost_vsock_common video virt_ctrl virtex virtfs virtio virtio_9p virtio_balloon virtio_blk virtio_ccw
virtio_crypto virtio_gpu virtio_input virtio_input_host virtio_iommu virtio_md virtio_md_supported
virtio_mem virtio_mem_supported virtio_mmio virtio_net virtio_nsm virtio_pci virtio_pmem
virtio_pmem_supported virtio_rng virtio_scsi virtio_serial virtio_snd virtio_vga virtualization vl6180 vm86
vm_debug vmapple vmapple_aes vmapple_bdif vmapple_cfg vmapple_virtio_blk vmbus vmcoreinfo vmcp vmcp_cma vmd
vmgenid vmlogrdr vmmouse vmport vmw_balloon vmw_pvscsi_scsi_pci vmw_vmci vmware_vga vmxnet3 vmxnet3_pci vof
vortex vsockets vsockmon vsyscall vt vt6655 vt6656 vt82c686 vtd vxlan vz89x w1 wan wanxl watchdog
watchdog_thresh wcn36xx wd33c93 wd80x3 wdt wdt_diag288 wdt_ib6300esb wdt_ib700 wdt_imx2 wdt_sbsa wdtpci
werror wfx whpx wil6210 wilc1000 windfarm wireguard wireless wl1251 wl12xx wl18xx wlan wlcore wm8750
workqueue wwan x11 x25 x86 x86_64 x86_fw_ovmf x86_iommu x9250 x_hpet_rust x_pl011_rust xen xen_bus xen_emu
xen_emul_unplug xen_igd_passthrough xen_legacy_crash xen_mc_debug xen_msr_safe xen_no_vector_callback
xen_nopv xen_timer_slop xenfs xfrm xgmac xics xilinx xilinx_axi xilinx_ethlite xilinx_sdfec xilinx_spi
xilinx_spips xilinx_tmr_inject xilinx_tmr_manager xillybus xillyusb xio3130 xirc2ps_cs xive xlnx_bbram
xlnx_cfi_if xlnx_csu_dma xlnx_displayport xlnx_efuse xlnx_efuse_crc xlnx_efuse_versal xlnx_efuse_zynqmp
xlnx_usb_subsys xlnx_versal xlnx_versal_cframe_reg xlnx_versal_cfu xlnx_versal_crl xlnx_versal_pmc_iou_slcr
xlnx_versal_trng xlnx_versal_xramc xlnx_zdma xlnx_zynqmp xlnx_zynqmp_apu_ctrl xlnx_zynqmp_arm
xlnx_zynqmp_crf xlnx_zynqmp_pmu xps xsurf100 xtensa xtensa_sim xtensa_virt xtensa_xtfpga xxhash yam
yellowfin yenta yogabook z3fold zaurus_scoop zbud zcrypt zd1211rw zfcp zisofs zopt2201 zorro8390 zpa2326
zpool zram zsmalloc zswap zynq zynq_devcfg zynq_slcr
`
    .trim()
    .split(/\s+/),
);
