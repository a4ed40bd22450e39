/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */
/*
 * Hardware-software interface of the stopwatch, shared by the QEMU device and
 * the Linux driver. Generated from device/stopwatch/contract/contract.ts: edit
 * that file, not this one.
 */
#ifndef STOPWATCH_HW_SW_H
#define STOPWATCH_HW_SW_H

/* Offsets in the trapping region, "regs": 64-bit registers, little-endian */
#define STOPWATCH_COMMAND       0x00
#define STOPWATCH_STATUS        0x08
#define STOPWATCH_ID            0x10
#define STOPWATCH_FEATURES      0x18
#define STOPWATCH_ERROR         0x20
#define STOPWATCH_ELAPSED_NS    0x28
#define STOPWATCH_TIMEOUT_NS    0x30
#define STOPWATCH_TIMEOUT_COUNT 0x38
#define STOPWATCH_DOORBELL      0x40
#define STOPWATCH_REGS_SIZE     0x1000
#define STOPWATCH_REGS_SIZE_V1  0x10

/* The pass-through region, "mem": u64 data_len, then char data[] */
#define STOPWATCH_MEM_DATA_LEN 0x00
#define STOPWATCH_MEM_DATA     0x08
#define STOPWATCH_DATA_SIZE    128
#define STOPWATCH_MEM_SIZE     0x10000
#define STOPWATCH_MEM_SIZE_V1  136

/* The live page, at MEM_PAGE in "mem": offsets of its fields */
#define STOPWATCH_MEM_PAGE         0x1000
#define STOPWATCH_PAGE_MAGIC       0x00
#define STOPWATCH_PAGE_SIZE        0x04
#define STOPWATCH_PAGE_VERSION     0x08
#define STOPWATCH_PAGE_SEQ         0x0c
#define STOPWATCH_PAGE_DISRUPTION  0x10
#define STOPWATCH_PAGE_FLAGS       0x18
#define STOPWATCH_PAGE_STATE       0x20
#define STOPWATCH_PAGE_ACCUMULATED 0x28
#define STOPWATCH_PAGE_COUNTER     0x30
#define STOPWATCH_PAGE_FREQUENCY   0x38
#define STOPWATCH_PAGE_ERROR       0x40
#define STOPWATCH_PAGE_BYTES       0x48

/* Values of its fields */
#define STOPWATCH_PAGE_MAGIC_VALUE          0x53575047
#define STOPWATCH_PAGE_VERSION_VALUE        1
#define STOPWATCH_PAGE_FLAG_COUNTER_INVALID 0x01

/* The lap ring, at MEM_LAPS in "mem": offsets of its fields */
#define STOPWATCH_MEM_LAPS            0x2000
#define STOPWATCH_LAPS_HEAD           0x00
#define STOPWATCH_LAPS_CAPACITY       0x08
#define STOPWATCH_LAPS_ENTRIES        0x10
#define STOPWATCH_LAPS_CAPACITY_VALUE 64
#define STOPWATCH_LAPS_BYTES          0x210

/* The request ring, at MEM_REQUESTS in "mem": offsets of its fields, and in an entry */
#define STOPWATCH_MEM_REQUESTS      0x3000
#define STOPWATCH_REQUESTS_HEAD     0x00
#define STOPWATCH_REQUESTS_TAIL     0x08
#define STOPWATCH_REQUESTS_ENTRIES  0x10
#define STOPWATCH_REQUESTS_CAPACITY 32
#define STOPWATCH_REQUESTS_BYTES    0x210
#define STOPWATCH_REQUEST_COUNTER   0x00
#define STOPWATCH_REQUEST_SPLIT     0x08
#define STOPWATCH_REQUEST_BYTES     0x10
#define STOPWATCH_SPLIT_NONE        0xffffffffffffffffULL

/* ID: the magic in the high half, the contract version in the low half */
#define STOPWATCH_MAGIC   0x53574348
#define STOPWATCH_VERSION 4

/* Values of COMMAND */
#define STOPWATCH_CMD_RESET       0
#define STOPWATCH_CMD_START       1
#define STOPWATCH_CMD_PAUSE       2
#define STOPWATCH_CMD_UPDATE      3
#define STOPWATCH_CMD_TIMEOUT     4
#define STOPWATCH_CMD_TIMEOUT_ACK 5
#define STOPWATCH_CMD_LAP         6

/* Values of STATUS */
#define STOPWATCH_STATUS_RUNNING 0
#define STOPWATCH_STATUS_RESET   1
#define STOPWATCH_STATUS_PAUSED  2

/* Bits of ERROR */
#define STOPWATCH_ERR_BAD_COMMAND 0x01
#define STOPWATCH_ERR_BAD_STATE   0x02
#define STOPWATCH_ERR_BAD_TIMEOUT 0x04
#define STOPWATCH_ERR_BUSY        0x08
#define STOPWATCH_ERR_BAD_ACCESS  0x10
#define STOPWATCH_ERR_ALL         0x1f

/* Bits of FEATURES */
#define STOPWATCH_FEATURE_ERROR      0x01
#define STOPWATCH_FEATURE_ELAPSED_NS 0x02
#define STOPWATCH_FEATURE_TIMEOUT    0x04
#define STOPWATCH_FEATURE_LIVE_PAGE  0x08
#define STOPWATCH_FEATURE_LAPS       0x10
#define STOPWATCH_FEATURE_REQUESTS   0x20

/* Longest timeouts: TIMEOUT_NS in nanoseconds, the TIMEOUT command in seconds */
#define STOPWATCH_TIMEOUT_MAX_NS 10000000000ULL
#define STOPWATCH_TIMEOUT_MAX_S  10

#endif /* STOPWATCH_HW_SW_H */
