.onLoad <- function(libname, pkgname) {
  for (system in list(spacross_system(), spalora_system(), ppca_system())) {
    system$options <- with_option_arguments(system$options, option_set(system$name))
    assign(paste0(system$name, "_options"), system$options, topenv())
    register_system(system)
  }
}
