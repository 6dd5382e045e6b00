"""What is imperfect about one card in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Radio:
    """Imperfections of one card in one place; the defaults are those of a good one.

    Attributes:
        transmit_dbm: power of the sender.
        noise_dbm: noise floor.
        csi_snr_db: estimation noise below the signal (phase noise, distortion), whatever the power.
        gain_jitter_db: random level of each packet, common to all antennas.
        chain_jitter_db: random level of each stream in each packet.
        wander_db: slow random level of each stream (supply, temperature, mixer).
        step_db: how much a gain step changes one antenna against another, at most.
        agc_jump_rate: jumps of the gain control a second; each lasts a few packets.
        burst_rate: bursts of interference a second.
        burst_db: how much a burst raises the estimation noise.
        burst_s: mean length of a burst.
        cfo_hz: carrier frequency offset.
        sfo_ppm: sampling frequency offset.
        detection_s: spread of the moment a packet is detected.
        single_stream: share of packets sent with one stream only (3x1 among 3x2).
        chain_agc_db: spread of a receive chain's level from packet to packet, where each controls its gain.
        rssi_jitter_db: error of the RSSI that a card reports beside the CSI instead of its gain.
        host_delay_s: mean time until the host stamps a frame, where the card has no clock.
        other_frames: frames to others that the sender counts between two of ours, on average.
    """

    transmit_dbm: float = 15.0
    noise_dbm: float = -93.0
    csi_snr_db: float = 33.0
    gain_jitter_db: float = 0.15
    chain_jitter_db: float = 0.06
    wander_db: float = 0.05
    step_db: float = 0.25
    agc_jump_rate: float = 0.02
    burst_rate: float = 0.05
    burst_db: float = 10.0
    burst_s: float = 0.05
    cfo_hz: float = 2000.0
    sfo_ppm: float = 5.0
    detection_s: float = 25e-9
    single_stream: float = 0.0
    chain_agc_db: float = 2.8
    rssi_jitter_db: float = 0.6
    host_delay_s: float = 0.25e-3
    other_frames: float = 0.1


IDEAL = Radio(
    noise_dbm=-200.0,
    csi_snr_db=200.0,
    gain_jitter_db=0.0,
    chain_jitter_db=0.0,
    wander_db=0.0,
    step_db=0.0,
    agc_jump_rate=0.0,
    burst_rate=0.0,
    cfo_hz=0.0,
    sfo_ppm=0.0,
    detection_s=0.0,
    chain_agc_db=0.0,
    rssi_jitter_db=0.0,
    host_delay_s=0.0,
    other_frames=0.0,
)
"""A card that only counts bits."""
