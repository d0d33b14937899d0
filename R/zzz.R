.onLoad <- function(libname, pkgname) {
  register_system(spacross_system())
  register_system(spalora_system())
  register_system(ppca_system())
}
