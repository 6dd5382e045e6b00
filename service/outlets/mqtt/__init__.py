"""MQTT 5: retained state of rooms, events as they come, and discovery for Home Assistant.

Commands are not taken: nothing that arrives over MQTT changes anything in the service.
"""
