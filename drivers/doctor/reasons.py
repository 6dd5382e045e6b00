"""Why a card gives no frames, and what to do: the faults that its users report most."""

NO_BYTES = {
    "intel5300": "look at intel5300.connector_log, .firmware, .connector, .interface; let HT packets in",
    "atheros": "look at atheros.device, .busy and .interface; only 802.11n packets count",
    "nexmon": "look at nexmon.firmware, .monitor, .chanspec and .rp_filter; tell nexutil the channel again "
    "after every restart; a packet socket (--source packet:IFACE) shows what the kernel drops",
    "esp32": "look at esp32.port and .baud; reset the board; does its firmware print CSI rows (CSI_DATA)?",
}
NOT_RECORDS = {
    "intel5300": "give the bytes as log_to_file writes them, from the start of a record",
    "atheros": "give the bytes as recvCSI writes them; a dump from the device itself lacks the lengths",
    "nexmon": "give a pcap or pcapng of UDP port 5500, or the datagrams themselves; is --nic right?",
    "esp32": "set the same speed as the firmware's (often 921600); text that is garbled or cut is the sign",
}
NO_CSI = {
    "intel5300": "set bit 0 of connector_log; use 802.11n rates on an open network: legacy and encrypted "
    "packets are logged without CSI",
    "atheros": "let the sender send sounding HT packets (the tool's sendData, or 802.11n traffic); three "
    "streams at 40 MHz need a driver patch",
    "nexmon": "switch the extractor on: makecsiparams, then nexutil -s500; text of the firmware is no CSI",
    "esp32": "enable CSI in the firmware (esp_wifi_set_csi) and let a sender send 802.11n packets",
}
BETTER_LINK = "make steady packets: roomtone traffic --to ADDRESS_OF_THE_OTHER_END --rate 100"


def advice(table: dict[str, str], nic: str) -> str:
    """What to do with this NIC; one of a third party has a page of its own."""
    return table.get(nic, f"see the documentation of {nic}")
