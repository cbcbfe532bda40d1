"""What `up` says on the terminal, in French and English."""

from __future__ import annotations

from typing import Literal

Language = Literal["fr", "en"]

_PHRASES: dict[str, tuple[str, str]] = {
    "preparing": ("préparation de {data_dir}", "preparing {data_dir}"),
    "create_database": (
        "première fois : création de la base de données",
        "first start: creating the database",
    ),
    "waiting_for_earlier": (
        "attente de la fin d'un démarrage précédent",
        "waiting for the end of an earlier start",
    ),
    "http_moved": (
        "le port HTTP {wanted} est occupé, le port {port} est pris à sa place",
        "HTTP port {wanted} is busy, port {port} is taken instead",
    ),
    "mqtt_moved": (
        "le port MQTT {wanted} est occupé, le port {port} est pris à sa place",
        "MQTT port {wanted} is busy, port {port} is taken instead",
    ),
    "starting": ("démarrage des processus", "starting the processes"),
    "database": ("base de données prête", "database ready"),
    "broker": ("courtier MQTT prêt (port {port})", "MQTT broker ready (port {port})"),
    "schema": ("schéma de la base à jour", "database schema up to date"),
    "log_ins": ("comptes de démonstration prêts", "demo log-ins ready"),
    "live": ("serveur web prêt", "web server ready"),
    "health": ("toutes les parties répondent", "every part answers"),
    "history": ("historique de la ville : {percent} %", "history of the town: {percent} %"),
    "town": ("la ville vit", "the town is alive"),
    "still_waiting": ("encore en attente : {names}", "still waiting for: {names}"),
    "last_line": ("dernière ligne de logs/{name}.log : {line}", "last line of logs/{name}.log: {line}"),
    "log_in_failed": ("le compte {user} n'a pas pu être créé : {why}", "the log-in {user} could not be made: {why}"),
    "ready": ("PRÊT — salle de contrôle : {url}", "READY — control room: {url}"),
    "mqtt_at": ("MQTT : {url}", "MQTT: {url}"),
    "log_in_line": ("  {role:<16} utilisateur {user:<14} mot de passe {password}",
                    "  {role:<16} user {user:<14} password {password}"),
    "log_ins_title": ("comptes de démonstration :", "demo log-ins:"),
    "first_administrator": ("comptes vérifiés", "accounts checked"),
    "first_link": (
        "premier administrateur, une seule fois, dans les 24 heures : {url}",
        "first administrator, once, within 24 hours: {url}",
    ),
    "first_file": (
        "  (ce qui suit le # est gardé dans {path})",
        "  (what stands behind the # is kept in {path})",
    ),
    "how_to_stop": ("Ctrl-C arrête tout.", "Ctrl-C stops everything."),
    "stopping": ("arrêt en cours…", "stopping…"),
    "stopped": ("tout est arrêté", "everything is stopped"),
}  # fmt: skip


def phrase(key: str, language: Language, **values: object) -> str:
    """Give one phrase in one language.

    Examples
    --------
    >>> phrase("broker", "en", port=1883)
    'MQTT broker ready (port 1883)'
    """
    french, english = _PHRASES[key]
    return (french if language == "fr" else english).format(**values)


def keys() -> list[str]:
    """List the known phrases."""
    return list(_PHRASES)
