/* Called by R when it loads the library. */
void spaxR_prepare(void);
void R_init_spaxR_extendr(void *dll);

void R_init_spaxR(void *dll) {
    /* First: it sets an environment variable, while no thread of ours exists. */
    spaxR_prepare();
    R_init_spaxR_extendr(dll);
}
