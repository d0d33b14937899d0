# The systems that the package knows: what each is called, what it makes, and how it does what differs from system to
# system. Verbs ask here and name no system, and nothing here depends on one: each registers itself (zzz.R), so that a
# further system is one call of register_system(). A system is a list:
#   name        "spacross": the class of its options and the documents of its models go by it, and so does what a run
#               writes into an object unless told otherwise: the reduction `name`, the factor `name`_domain
#   title       in words
#   verb        the function that runs it; an object keeps a run under this name
#   options     the function that makes its options, which are those that its core has under this name
#   modalities  whether it reads several matrices, one a modality, or a single one
#   result, model   classes of its results and models, before SpaxResult and SpaxModel
#   describe(result)    lines of a printed result about what was trained on, or NULL
#   parts, restore(document), source(model)   of a model: the parts that only this system's have; a document read from a
#                                             file with its types restored; what it was trained on, in words
#   read_new(model, newdata, coords, given)   the new cells of predict() as the part of a task that input is; `given`:
#                                             the arguments that say where in an object
#   parts_of(task)          the input as the core takes it: a list of counts_part() and columns_part()
#   told(described, task)   looks at what the core says of its first stage, before long work
#   found(found, modalities, cells, key)   what the core found, as parts of a result: `embedding` and what else the
#                                          system gives
#   more(found, task), late(found, task)   further parts of a result, before and after those that all have
#   own(found, task)        of a model: the parts that only this system's have
#   new_parts(model, task)  of predict(): list(parts, as parts_of() with the genes of the model; missing, features of it
#                           that the cells lack; centred, whether any are scaled)
#   write(object, found, names, homes, misc)  what a run or predict() found, into an object

registry <- new.env(parent = emptyenv())
registry$systems <- list()

register_system <- function(system) {
  registry$systems[[system$name]] <- system
  invisible(system)
}

spax_systems <- function() registry$systems

# NULL for a name that no system has.
spax_system <- function(name) registry$systems[[name]]

# The system whose `field` is this value; NULL if there is none.
system_with <- function(field, value) {
  Find(function(system) identical(system[[field]], value), registry$systems)
}

# What all systems call it, in the order they were registered.
system_names <- function(field = "name") unname(vapply(registry$systems, `[[`, "", field))
