"""BACnet/IP (ASHRAE 135): a device whose objects tell rooms to the building's controllers; read only."""
