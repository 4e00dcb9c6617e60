"""Twilio Frontline's own callbacks: custom routing, CRM, outgoing conversation, templates."""
