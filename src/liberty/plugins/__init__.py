"""Users' Python code: found under the plugins folder, loaded in whole generations, never half old and half new."""

from liberty.plugins.functions import PluginFunction, PluginParameter
from liberty.plugins.generations import Plugins
from liberty.plugins.plugin_set import PluginSet

__all__ = ["PluginFunction", "PluginParameter", "PluginSet", "Plugins"]
